"""What scripts/bench measures: each figure beside the limit, or a peer, in the same run."""
