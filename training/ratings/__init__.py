"""Judgements of people: queues of what is to be judged, the desk that hands it out and takes the answers, and who decides disputes."""
