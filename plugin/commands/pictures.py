"""What commands that look at folders of pictures share: the cache option, and the look with a progress bar."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from biometric.evaluation.corpus import Corpus
    from biometric.pipeline import Recogniser

cache_option = click.option(
    "--cache",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep vectors of the pictures in this folder, so that the next run takes seconds. They are biometric data.",
)


def embedded(
    images: Path,
    recogniser: Recogniser,
    *,
    models_dir: Path,
    cache: Path | None = None,
    exactly_one: bool = False,
    chosen: Callable[[str], bool] = lambda _person: True,
    most: int | None = None,
) -> Corpus:
    """Return the vectors of the chosen people's pictures, with a progress bar on stderr."""
    from rich.console import Console
    from rich.progress import Progress

    from biometric.evaluation.cache import VectorCache
    from biometric.evaluation.corpus import embed_corpus, find_pictures
    from biometric.models import ModelStore

    pictures = [picture for picture in find_pictures(images) if chosen(picture.person)]
    known = VectorCache(cache, ModelStore(models_dir).digests()) if cache is not None else None
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task(f"pictures of {images.name}", total=len(pictures))

        def report(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        return embed_corpus(pictures, recogniser, report=report, exactly_one=exactly_one, most=most, cache=known)
