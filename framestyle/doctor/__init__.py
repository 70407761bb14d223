"""What this machine has, each thing proved by doing it once: devices, ffmpeg, encoders, weights, folders, presets."""

from framestyle.doctor.examination import AREAS as AREAS
from framestyle.doctor.examination import Area as Area
from framestyle.doctor.examination import examine as examine
from framestyle.doctor.examination import exit_code as exit_code
from framestyle.doctor.finding import Finding as Finding
