"""The paper's table for every objective: what a policy's weights do alone on held-out hotels and bad cases, rated by simulated experts."""
