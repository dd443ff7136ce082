"""Works on import jobs: takes one by a lease, reads its source, sends each record to its owner, keeps the score."""
