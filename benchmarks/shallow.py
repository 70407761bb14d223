"""The head of a preset that is done in a blink: for benchmarks of what goes on around the optimiser."""

SHALLOW = """\
schema: 1
extends: nightswirl
style: {layers: {relu1_1: 1, relu2_1: 1, relu3_1: 0, relu4_1: 0, relu5_1: 0}}
content: {layers: {relu2_1: 1, relu3_2: 0, relu4_2: 0, relu5_2: 0}}
optimizer: {precision: float32}
"""
