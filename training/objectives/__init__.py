"""What a policy is trained towards: advantages, losses, off-policy corrections and the trainers that use them."""
