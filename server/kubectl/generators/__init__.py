"""Objects made of a few flags by `kubectl create`, `run` and `expose`. Fields stand in the order of Kubernetes' own types."""
