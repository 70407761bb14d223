"""Clips in and out: frames upright, in RGB, each at its true time, with what a source brings beside its pictures.

clips.py chooses between the two forms of a clip; reader.py and writer.py are for video files, sequences.py for numbered
photos, segments.py for lossless runs of frames. probe.py and description.py say what a clip is; codecs.py, encoding.py
and encoder_trials.py how it is encoded; colors.py what its numbers mean; carried.py what it takes over. nut.py and
matroska.py hold frames on pipes.
"""
