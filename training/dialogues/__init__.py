"""Whole dialogues of a policy with simulated hotels, in this process: many at once, without the service, a database or a model server.

The hotel, the SOP and the way in which a message is read are those of the service. The guard and its rewrite are left out: what a
hotel meets here is what the policy says.
"""

from training.dialogues.dialogue import Dialogue, Exchange, Room
from training.dialogues.hotels import Meeting, meet
from training.dialogues.playing import Speak, play, play_many

__all__ = ["Dialogue", "Exchange", "Meeting", "Room", "Speak", "meet", "play", "play_many"]
