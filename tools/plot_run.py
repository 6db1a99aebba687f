#!/usr/bin/env python3
"""Draws a run's curves from its run.jsonl as one SVG: the loss (smoothed over 20 steps) and the
validation scores, stage by stage. Standard library alone.

    tools/plot_run.py runs/flickr8k/run.jsonl docs/results/flickr8k.svg
"""

import json
import sys

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 860, 340, 56, 56, 34, 40
INK, LOSS, SCORE, RULE = "#333333", "#2a6f97", "#c8553d", "#dddddd"


def read(path):
    """Steps and evaluations; a resumed run repeats steps, of which the last stands."""
    steps, scores = {}, {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if "evaluation" in row:
                scores[row["step"]] = row["evaluation"]
            elif "loss" in row:
                steps[row["step"]] = row
    return [steps[s] for s in sorted(steps)], scores


def smoothed(values, width=20):
    return [sum(values[max(0, i - width + 1) : i + 1]) / min(i + 1, width)
            for i in range(len(values))]


def line(points, colour):
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.6"/>'


def text(x, y, words, anchor="middle", colour=INK):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{words}</text>'


def draw(steps, scores, score="CIDEr"):
    last = steps[-1]["step"]
    losses = smoothed([row["loss"] for row in steps])
    low, high = min(losses) * 0.97, sorted(losses)[int(len(losses) * 0.995)] * 1.01
    best = max([value.get(score, 0) for value in scores.values()] + [0.01]) * 1.15
    across = lambda step: LEFT + (WIDTH - LEFT - RIGHT) * step / last
    down = lambda part: HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * min(1.0, max(0.0, part))

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
           'font-family="sans-serif" font-size="12">',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>']
    for quarter in range(5):
        y = down(quarter / 4)
        out.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" '
                   f'stroke="{RULE}"/>')
        out.append(text(LEFT - 6, y + 4, f"{low + (high - low) * quarter / 4:.2f}", "end", LOSS))
        out.append(text(WIDTH - RIGHT + 6, y + 4, f"{best * quarter / 4:.2f}", "start", SCORE))
    stages = []
    for row in steps:
        if not stages or stages[-1][0] != row["stage"]:
            stages.append([row["stage"], row["step"], row["step"]])
        stages[-1][2] = row["step"]
    for name, first, end in stages:
        out.append(text((across(first) + across(end)) / 2, TOP - 8, name))
        out.append(f'<line x1="{across(end):.1f}" x2="{across(end):.1f}" y1="{TOP}" '
                   f'y2="{HEIGHT - BOTTOM}" stroke="{RULE}"/>')
        inside = [(across(row["step"]), down((loss - low) / (high - low)))
                  for row, loss in zip(steps, losses) if row["stage"] == name]
        out.append(line(inside, LOSS))
    marks = [(across(step), down(value[score] / best)) for step, value in sorted(scores.items())
             if score in value]
    out.append(line(marks, SCORE))
    out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{SCORE}"/>' for x, y in marks]
    out.append(text(LEFT, HEIGHT - 10, "loss (nats a token, training)", "start", LOSS))
    out.append(text(WIDTH - RIGHT, HEIGHT - 10, f"{score} (validation)", "end", SCORE))
    out.append(text(WIDTH / 2, HEIGHT - 10, f"step (of {last})"))
    return "\n".join(out + ["</svg>", ""])


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        file.write(draw(*read(sys.argv[1])))
