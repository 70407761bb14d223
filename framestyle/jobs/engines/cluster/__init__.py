"""The engine of many machines, over Ray: a task of Ray's for each unit, here or elsewhere."""
