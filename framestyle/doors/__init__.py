"""FACES: thin doors that turn calls into jobs and events into what a person sees."""
