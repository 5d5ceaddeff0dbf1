"""Conducting a negotiation: prices, SOP, language, guardrails, serving, simulated hotels."""
