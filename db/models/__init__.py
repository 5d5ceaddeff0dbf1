"""The tables, one noun a file; importing this package makes all of them known to ``Base.metadata``."""

from db.models.audit_event import AuditEvent
from db.models.bad_case import BadCase, BadCaseVersion
from db.models.base import Base, Json
from db.models.contact import Contact
from db.models.conversation import Conversation
from db.models.conversation_ticket import ConversationTicket
from db.models.deployment import Deployment
from db.models.draft import Draft
from db.models.gold_answer import GoldAnswer
from db.models.guard_verdict import GuardVerdict
from db.models.hotel import Hotel
from db.models.imported_example import ImportedExample
from db.models.login_attempt import LoginAttempt
from db.models.policy_version import PolicyVersion
from db.models.rating import Rating, RatingTag
from db.models.rating_assignment import RatingAssignment
from db.models.rating_item import RatingItem
from db.models.rating_queue import RatingQueue
from db.models.retrain import Retrain
from db.models.retrain_schedule import RetrainSchedule
from db.models.retrain_step import RetrainStepRow
from db.models.reward_spec import RewardSpec
from db.models.ticket import Ticket
from db.models.training_metric import TrainingMetric
from db.models.training_run import TrainingRun
from db.models.turn import Turn
from db.models.turn_score import TurnScore
from db.models.user import User
from db.models.user_session import UserSession

__all__ = [
    "AuditEvent",
    "BadCase",
    "BadCaseVersion",
    "Base",
    "Contact",
    "Conversation",
    "ConversationTicket",
    "Deployment",
    "Draft",
    "GoldAnswer",
    "GuardVerdict",
    "Hotel",
    "ImportedExample",
    "Json",
    "LoginAttempt",
    "PolicyVersion",
    "Rating",
    "RatingAssignment",
    "RatingItem",
    "RatingQueue",
    "RatingTag",
    "Retrain",
    "RetrainSchedule",
    "RetrainStepRow",
    "RewardSpec",
    "Ticket",
    "TrainingMetric",
    "TrainingRun",
    "Turn",
    "TurnScore",
    "User",
    "UserSession",
]
