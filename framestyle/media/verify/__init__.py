"""Whether clips, photos and image sequences are whole, and what their source asks for.

checking.py looks at a file by itself, comparing.py holds it against its source; verdict.py has what they find.
"""
