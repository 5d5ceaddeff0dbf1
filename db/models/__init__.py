"""The tables, one noun a file; importing this package makes all of them known to ``Base.metadata``."""

from db.models.audit_event import AuditEvent
from db.models.base import Base, Json
from db.models.contact import Contact
from db.models.conversation import Conversation
from db.models.conversation_ticket import ConversationTicket
from db.models.deployment import Deployment
from db.models.draft import Draft
from db.models.guard_verdict import GuardVerdict
from db.models.hotel import Hotel
from db.models.login_attempt import LoginAttempt
from db.models.policy_version import PolicyVersion
from db.models.ticket import Ticket
from db.models.turn import Turn
from db.models.user import User
from db.models.user_session import UserSession

__all__ = [
    "AuditEvent",
    "Base",
    "Contact",
    "Conversation",
    "ConversationTicket",
    "Deployment",
    "Draft",
    "GuardVerdict",
    "Hotel",
    "Json",
    "LoginAttempt",
    "PolicyVersion",
    "Ticket",
    "Turn",
    "User",
    "UserSession",
]
