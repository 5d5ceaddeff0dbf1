"""The persisted vocabulary: every word that is stored in a row and read back by another room.

Only words live here; what they *mean* is decided in the room that acts on them (the SOP's meaning in ``agent.sop``, roles in
``webapp``). A word that is once stored is never renamed, only added to.
"""

from enum import StrEnum


class Role(StrEnum):
    """What a signed-in person may do."""

    BD = "bd"
    ANNOTATOR = "annotator"
    OPS = "ops"
    ADMIN = "admin"


class Stage(StrEnum):
    """Where a conversation stands in the SOP."""

    OPENING = "opening"
    SITUATION = "situation"
    PROPOSAL = "proposal"
    PERSUASION = "persuasion"
    CLARIFICATION = "clarification"
    CONFIRMATION = "confirmation"
    CLOSING = "closing"
    FOLLOW_UP = "follow_up"
    ESCALATED = "escalated"
    AGREED = "agreed"
    DECLINED = "declined"
    EXPIRED = "expired"
    HANDED_OVER = "handed_over"

    @property
    def is_end(self) -> bool:
        """True where nothing more is said by the agent."""
        return self in _END_STAGES


_END_STAGES = frozenset({Stage.AGREED, Stage.DECLINED, Stage.EXPIRED, Stage.HANDED_OVER})


class TicketStatus(StrEnum):
    """The outcome of one ticket."""

    OPEN = "open"
    AGREED = "agreed"
    DECLINED = "declined"
    EXPIRED = "expired"
    HANDED_OVER = "handed_over"


class MoveKind(StrEnum):
    """What our side may do in a turn."""

    GREET = "greet"
    """Introduce us and say what the call is about; no price yet."""
    PROBE = "probe"
    """Ask about the hotel's situation: occupancy, what keeps the price up."""
    ASK = "ask"
    """Request one net price, with a reason."""
    HOLD = "hold"
    """Stay with the last request: a new reason, or an answer to a question. Never a lower or higher number."""
    CLARIFY = "clarify"
    """Ask one open point (``ClarifyTopic``)."""
    ACCEPT = "accept"
    """Say that the hotel's price works for us and repeat the terms to be confirmed."""
    CONFIRM = "confirm"
    """Repeat one ticket's terms (room, dates, net, selling, start) and ask for a yes."""
    CALM = "calm"
    """Name the feeling, take responsibility for what is ours; ask for nothing."""
    REDIRECT = "redirect"
    """Ask who decides on prices, thank, offer to come back."""
    FOLLOW_UP = "follow_up"
    """A friendly nudge after silence."""
    CLOSE = "close"
    """Thank and end: with what was agreed, or without a deal."""
    ESCALATE = "escalate"
    """Say that a colleague takes over."""


class HotelMoveKind(StrEnum):
    """What the hotel did in a turn."""

    GREETING = "greeting"
    INFORM = "inform"
    """Facts about its situation, no price and no decision."""
    OFFER = "offer"
    """Names a price (or a discount) that it would give."""
    AGREE = "agree"
    """An explicit yes to what we asked or repeated."""
    REFUSE = "refuse"
    """No to what we asked, without a price of its own."""
    QUESTION = "question"
    STALL = "stall"
    """Noncommittal: let me see, noted, will get back to you."""
    SILENCE = "silence"
    """Nothing, an emoji, only punctuation."""
    UPSET = "upset"
    """Complains or is angry, yet still talking."""
    WRONG_PERSON = "wrong_person"
    STOP = "stop"
    """Asks us to stop, or is hostile."""
    LEGAL = "legal"
    """Raises contract, legal or liability matters."""
    OTHER = "other"


class PriceBasis(StrEnum):
    """Which price an amount is: what we pay the hotel, or what the traveller pays."""

    NET = "net"
    SELLING = "selling"
    UNKNOWN = "unknown"


class ClarifyTopic(StrEnum):
    """The open points that must be asked before anything else."""

    NET_OR_SELLING = "net_or_selling"
    AMOUNT = "amount"
    """A price was named that cannot be resolved ("4-something")."""
    WHICH_ROOM = "which_room"
    DATES = "dates"
    BREAKFAST = "breakfast"
    TAX = "tax"
    ROOMS = "rooms"
    CONDITION = "condition"
    """The hotel tied its price to something (weekdays only, minimum stay, prepaid)."""


class Mood(StrEnum):
    """How the hotel's message sounds."""

    WARM = "warm"
    NEUTRAL = "neutral"
    ANXIOUS = "anxious"
    ANNOYED = "annoyed"
    ANGRY = "angry"


class Speaker(StrEnum):
    """Whose turn it was."""

    HOTEL = "hotel"
    BD = "bd"


class Mode(StrEnum):
    """Who lets a reply out."""

    COPILOT = "copilot"
    AUTOPILOT = "autopilot"


class Counterpart(StrEnum):
    """Who speaks for the hotel."""

    HUMAN = "human"
    """A person pastes the hotel's words."""
    SIMULATED = "simulated"


class DraftStatus(StrEnum):
    """What became of a draft."""

    PENDING = "pending"
    APPROVED = "approved"
    EDITED = "edited"
    REJECTED = "rejected"
    """Regenerated, or overtaken by a take-over."""
    SUPERSEDED = "superseded"
    """Refused by the guard and rewritten."""


class DraftOrigin(StrEnum):
    """Who wrote a draft."""

    POLICY = "policy"
    REWRITE = "rewrite"
    """The policy again, told what the guard found."""
    TEMPLATE = "template"
    """The stage's safe template, after the guard refused the rewrite too."""
    PERSON = "person"


class Severity(StrEnum):
    """How bad a guard violation is."""

    MINOR = "minor"
    MAJOR = "major"
    SEVERE = "severe"


class ConcessionTactic(StrEnum):
    """How asks move from the opening to the ceiling over the rounds (Faratin, Sierra, Jennings 1998)."""

    LINEAR = "linear"
    BOULWARE = "boulware"
    CONCEDER = "conceder"


class DeploymentRole(StrEnum):
    """What share of new conversations a policy version gets."""

    LIVE = "live"
    CANARY = "canary"
    RETIRED = "retired"


class PolicyStatus(StrEnum):
    """How far a policy version has come."""

    CANDIDATE = "candidate"
    """Trained or imported, not yet past the gate."""
    PUBLISHED = "published"
    """May be deployed: its adapter is complete and immutable."""
    REJECTED = "rejected"
    """The gate refused it."""
    REMOVED = "removed"
    """Its adapter files are gone; the row stays for the turns that name it."""


class IssueTag(StrEnum):
    """What can be wrong with a reply of ours, as people name it."""

    SILENCE_AS_CONSENT = "silence_as_consent"
    """Silence, "noted" or an emoji is taken for a yes."""
    NET_SELLING_MIXUP = "net_selling_mixup"
    """A net price is called selling, or the reverse, or is taken for it."""
    PUSHING_ON = "pushing_on"
    """Haggling goes on although the offer is good enough."""
    INTERNAL_WORDS = "internal_words"
    ONE_ROOM_ONLY = "one_room_only"
    """Only one of several rooms is dealt with."""
    OVER_PROMISE = "over_promise"
    INVENTED_FACT = "invented_fact"
    ROBOTIC_REPETITION = "robotic_repetition"
    HAGGLING_WITH_ANGER = "haggling_with_anger"
    """An upset hotel is answered with a price."""
    MIXED_LANGUAGE = "mixed_language"
    PRESSURE = "pressure"
    MISSING_TERMS = "missing_terms"
    """Terms are to be confirmed and not repeated in full."""
    IGNORING_WRONG_PERSON = "ignoring_wrong_person"
    GUESSING = "guessing"
    """What is vague is taken as said."""
    REASONING_LEAK = "reasoning_leak"
    REPROACH = "reproach"
    SKIPPED_GREETING = "skipped_greeting"


class JudgementKind(StrEnum):
    """What a person is asked to judge."""

    TURN = "turn"
    """One reply of ours, from 1 to 5."""
    COMPARISON = "comparison"
    """Which of two replies to the same context is better."""
    DIALOGUE = "dialogue"
    """A whole conversation."""


class QueuePolicy(StrEnum):
    """How a queue chooses what is to be judged."""

    NEWEST = "newest"
    RANDOM = "random"
    """Uniform over all turns of ours."""
    UNCERTAIN = "uncertain"
    """The guard objected, or scores of the rewards disagree."""
    CANARY = "canary"
    """Turns of the canary's conversations."""
    BAD_CASE = "bad_case"
    """Replies that people rejected, edited or rated badly."""


class ItemState(StrEnum):
    """How far the judging of one item has come."""

    OPEN = "open"
    """Wants more judgements."""
    JUDGED = "judged"
    """Has as many as were asked for."""
    DISPUTED = "disputed"
    """They differ by more than the queue allows: somebody must decide."""
    ADJUDICATED = "adjudicated"
    WITHDRAWN = "withdrawn"
    """Not to be judged any more."""


class AssignmentState(StrEnum):
    """What became of handing an item to a person."""

    RESERVED = "reserved"
    DONE = "done"
    SKIPPED = "skipped"
    EXPIRED = "expired"
    """The time limit passed; the item went back."""
    RELEASED = "released"
    """Given back, by signing out for instance."""


class JudgementSource(StrEnum):
    """Where a judgement came from."""

    DESK = "desk"
    """The annotators' desk."""
    IMPORTED = "imported"
    SIMULATED = "simulated"
    """A simulated expert; never mixed with people's in a figure that does not say so."""


class Preferred(StrEnum):
    """Which of two replies is better."""

    FIRST = "first"
    SECOND = "second"
    TIE = "tie"


class SpecStatus(StrEnum):
    """How far a version of the reward spec has come."""

    DRAFT = "draft"
    """Proposed; nothing is trained on it."""
    APPROVED = "approved"
    """The highest version of these is in force."""
    RETIRED = "retired"
    """Refused, or not to be used any more."""


class RunState(StrEnum):
    """How a training run is doing."""

    QUEUED = "queued"
    RUNNING = "running"
    STOPPED = "stopped"
    """At the end of a step, because somebody asked for it; it can be resumed."""
    FAILED = "failed"
    """It broke off; it can be resumed from its last checkpoint, if any."""
    DONE = "done"


class RetrainState(StrEnum):
    """How a retrain is doing: from the wish for better weights to what became of them."""

    QUEUED = "queued"
    RUNNING = "running"
    """Somebody works on its steps and holds the lease."""
    CANARY = "canary"
    """Its version answers a share of new conversations; nobody works on it until that is decided."""
    LIVE = "live"
    REJECTED = "rejected"
    """The gate refused it; a person may override that with a written reason."""
    FAILED = "failed"
    CANCELLED = "cancelled"
    ROLLED_BACK = "rolled_back"
    """Its version answered hotels, and was taken back."""

    @property
    def is_end(self) -> bool:
        """True where nothing more happens by itself."""
        return self not in _AT_WORK


_AT_WORK = frozenset({RetrainState.QUEUED, RetrainState.RUNNING, RetrainState.CANARY})


class RetrainStep(StrEnum):
    """The steps of a retrain, in their order."""

    SNAPSHOT = "snapshot"
    REWARD_MODEL = "reward_model"
    POLICY = "policy"
    EVALUATE = "evaluate"
    GATE = "gate"
    PUBLISH = "publish"
    CANARY = "canary"
    LIVE = "live"


class StepState(StrEnum):
    """How a step of a retrain is doing."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


class RetrainTrigger(StrEnum):
    """What asked for a retrain."""

    BY_HAND = "by_hand"
    SCHEDULE = "schedule"
    """The hour had come."""
    RATINGS = "ratings"
    """Enough new judgements."""
    BAD_CASE = "bad_case"
    """Enough new bad cases."""
