"""The starter model's own byte-level BPE: every digit is a token of its own, and any Unicode text survives the round trip.

Single digits make a price a string that can be copied digit by digit instead of a rare merged token; that is why no ready vocabulary is
used. The chat template is ChatML, with the ``generation`` marks that TRL needs for losses on our own words only.
"""

from collections.abc import Iterable
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

PAD = "<|endoftext|>"
START = "<|im_start|>"
END = "<|im_end|>"

# Contractions, words with the mark before them, one digit, runs of punctuation, line ends, spaces.
_PIECES = r"""(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+|[\r\n]+|\s+(?!\S)|\s+"""

CHAT_TEMPLATE = (
    "{%- for message in messages %}"
    "{%- if message.role == 'assistant' %}"
    "{{- '<|im_start|>assistant\\n' }}{% generation %}{{- message.content + '<|im_end|>' }}{% endgeneration %}{{- '\\n' }}"
    "{%- else %}"
    "{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}"
    "{%- endif %}"
    "{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"
)


def train_tokenizer(texts: Iterable[str], *, vocabulary: int, window: int) -> PreTrainedTokenizerFast:
    """A tokenizer of at most ``vocabulary`` entries learned from the texts; the same texts in the same order give the same one."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PIECES), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[PAD, START, END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        min_frequency=2,
        show_progress=False,
    )
    bpe.train_from_iterator(texts, trainer)
    return wrapped(bpe, window=window)


def wrapped(bpe: Tokenizer, *, window: int) -> PreTrainedTokenizerFast:
    """The same as transformers takes it, with the chat template."""
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        eos_token=END,
        pad_token=PAD,
        additional_special_tokens=[START],
        model_max_length=window,
        chat_template=CHAT_TEMPLATE,
        clean_up_tokenization_spaces=False,
        padding_side="left",
    )


def load_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """The tokenizer that a build left in a folder."""
    return PreTrainedTokenizerFast.from_pretrained(folder)


def pad_id(tokenizer: PreTrainedTokenizerFast) -> int:
    """Id of the padding mark."""
    found = tokenizer.convert_tokens_to_ids(PAD)
    assert isinstance(found, int), "one token has one id"
    return found


def end_id(tokenizer: PreTrainedTokenizerFast) -> int:
    """Id of the mark that ends every message."""
    found = tokenizer.convert_tokens_to_ids(END)
    assert isinstance(found, int), "one token has one id"
    return found
