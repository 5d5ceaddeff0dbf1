"""The prompts, kept as Jinja2 files beside this module and versioned by a hash of what they say."""

from agent.language.context import ReadContext
from agent.language.prompts.rendering import LANGUAGES, Message, prompts_version, render_read, render_write, situation

__all__ = ["LANGUAGES", "Message", "ReadContext", "prompts_version", "render_read", "render_write", "situation"]
