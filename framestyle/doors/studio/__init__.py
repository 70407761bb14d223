"""`framestyle studio`: a page on this machine to choose styles by looking, and a queue of renders that outlives it.

command.py: the command. app.py puts the server together; operations.py: every call of the JSON API, which openapi.py
describes; guard.py and patience.py: who may call, how much, how slowly. media.py: which pictures there are, below the
root alone; library.py, looks.py: presets, and what the sliders make of one. store.py, runner.py, progress.py: jobs, in
SQLite, each a process of `framestyle stylize`. previews.py: which preview comes next. helpers.py runs the two kinds of
helper processes: decoder.py, which opens files that nobody vouches for, and painter.py, which paints previews. The
server itself decodes nothing and loads no torch.
"""
