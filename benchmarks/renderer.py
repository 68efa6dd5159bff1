"""How fast the embedded faces are drawn: people and images per second, by image size and processes.

    python benchmarks/renderer.py --sizes 64 96 128 --processes 1 2 --people 8 --images 20

An image counts from action units to the finished uint8 array with its landmarks, in a mixture of
viewpoints, lights and expressions with every fifth face occluded. Starting processes and encoding
files do not count. "wall" is what the machine took with all that ran beside it; "processor" is what
the same work would take on cores of its own.
"""

import argparse
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from openfer.labels import AGES, BASIC_EXPRESSIONS, ILLUMINATIONS, POSES, RACES
from openfer_faces.synthetic.people.person import make_person
from openfer_faces.synthetic.renderer.renderer import Renderer
from openfer_faces.synthetic.scene.description import OCCLUDERS, Scene
from openfer_faces.synthetic.scene.draws import laboratory_scene
from openfer_faces.synthetic.template import Template

_GENDERS = ("male", "female")
_OCCLUDED_EVERY = 5

Seconds = tuple[float, float]
"""Wall and processor time."""


def scenes_of(person: int, images: int) -> list[Scene]:
    """Return a person's scenes, going through expressions, viewpoints and lights."""
    scenes = []
    for number in range(images):
        turn = person * images + number
        record = laboratory_scene(POSES[turn % len(POSES)], ILLUMINATIONS[turn * 7 % len(ILLUMINATIONS)])
        occluded = turn % _OCCLUDED_EVERY == 0
        scenes.append(
            Scene(
                seed=turn,
                person_seed=person,
                gender=_GENDERS[person % 2],
                age=AGES[person % len(AGES)],
                race=RACES[person % len(RACES)],
                expression=BASIC_EXPRESSIONS[turn % len(BASIC_EXPRESSIONS)],
                intensity=1.0,
                occluder=OCCLUDERS[1 + turn // _OCCLUDED_EVERY % 4] if occluded else "none",
                **{key: value for key, value in record.items() if key in Scene.__dataclass_fields__},
            )
        )
    return scenes


def work(size: int, first: int, people: int, images: int) -> tuple[Seconds, Seconds]:
    """Make and render people; returns the seconds of people and of images."""
    template = Template(size)
    renderer = Renderer(template)
    for scene in scenes_of(first, 5):
        renderer.render(make_person(template, first, scene.gender, scene.age, scene.race), scene)
    made, drawn = [0.0, 0.0], [0.0, 0.0]
    for number in range(first, first + people):
        scenes = scenes_of(number, images)
        begin = time.perf_counter(), time.process_time()
        person = make_person(template, number, scenes[0].gender, scenes[0].age, scenes[0].race)
        middle = time.perf_counter(), time.process_time()
        for scene in scenes:
            renderer.render(person, scene)
        end = time.perf_counter(), time.process_time()
        for clock in (0, 1):
            made[clock] += middle[clock] - begin[clock]
            drawn[clock] += end[clock] - middle[clock]
    return (made[0], made[1]), (drawn[0], drawn[1])


def measure(size: int, processes: int, people: int, images: int) -> str:
    """Run the work in parallel and describe the rates."""
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        jobs = [pool.submit(work, size, number * people, people, images) for number in range(processes)]
        results = [job.result() for job in jobs]
    rates = []
    for clock in (0, 1):
        made = sum(people / result[0][clock] for result in results)
        drawn = sum(people * images / result[1][clock] for result in results)
        rates += [made, drawn]
    return f"{size:>5} {processes:>9} {rates[0]:>12.1f} {rates[1]:>12.1f} {rates[2]:>12.1f} {rates[3]:>12.1f}"


def main() -> None:
    """Read the arguments and print one line per measurement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 96, 128], help="image sides in pixels")
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2], help="processes at once")
    parser.add_argument("--people", type=int, default=8, help="people per process")
    parser.add_argument("--images", type=int, default=20, help="images per person")
    arguments = parser.parse_args()
    print(f"{arguments.people} people per process, {arguments.images} images each; rates per second, all processes:")
    print(f"{'':>15} {'people':>12} {'images':>12} {'people':>12} {'images':>12}")
    print(f"{'size':>5} {'processes':>9} {'wall':>12} {'wall':>12} {'processor':>12} {'processor':>12}")
    for size in arguments.sizes:
        for processes in arguments.processes:
            print(measure(size, processes, arguments.people, arguments.images), flush=True)


if __name__ == "__main__":
    main()
