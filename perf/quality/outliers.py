"""The statistical peers: a robust z-score, and PyOD's detectors, of which the best is reported.

Both see `features`. Each detector's threshold is the one of the best F1 on the tuned half of the instruments, as a user
with labelled faults would choose it; the held-out half is scored with the same threshold.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import polars as pl

from perf.quality.corpus import Case
from perf.quality.features import features
from perf.quality.score import Scored, score

_FITTED_ON: Final = 10_000  # rows, drawn by chance
_SHARES: Final = np.geomspace(2e-4, 3e-2, 25)  # of rows flagged, from which the threshold is chosen


def robust_z(cases: Sequence[Case]) -> dict[str, np.ndarray]:
    """Return the robust z-score of the log return by itself, and the greatest z-score of all features."""
    _, values = features(cases)
    return {
        "robust z-score of log returns": np.abs(values[:, 0]),
        "greatest robust z-score of all features": np.abs(values).max(axis=1),
    }


def pyod_scores(cases: Sequence[Case]) -> dict[str, np.ndarray]:
    """Return the outlier score of each row by each detector of PyOD, fitted on rows drawn by chance."""
    _, values = features(cases)
    random = np.random.default_rng(0)
    drawn = values[random.choice(len(values), min(_FITTED_ON, len(values)), replace=False)]
    scores = {}
    for name, make in _detectors().items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scores[f"PyOD {name}"] = np.asarray(make().fit(drawn).decision_function(values))
    return scores


def _detectors() -> dict[str, Callable[[], Any]]:
    from pyod.models.copod import COPOD
    from pyod.models.ecod import ECOD
    from pyod.models.hbos import HBOS
    from pyod.models.iforest import IForest
    from pyod.models.knn import KNN
    from pyod.models.lof import LOF
    from pyod.models.mcd import MCD
    from pyod.models.pca import PCA

    return {
        "ECOD": ECOD,
        "COPOD": COPOD,
        "HBOS": HBOS,
        "IForest": lambda: IForest(random_state=0),
        "KNN": lambda: KNN(n_neighbors=10),
        "LOF": lambda: LOF(n_neighbors=30),
        "MCD": lambda: MCD(random_state=0),
        "PCA": lambda: PCA(random_state=0),
    }


def at_best_threshold(cases: Sequence[Case], labels: pl.DataFrame, values: np.ndarray) -> pl.DataFrame:
    """Return the flags (FLAGS) over the threshold that has the best F1 on the tuned half."""
    tuned = [case for case in cases if case.half == "tuned"]
    own = labels["instrument_id"].is_in([case.name for case in tuned]).to_numpy()
    found = [
        (_f1(score(tuned, labels.filter(pl.Series(own & (values > limit))))), limit)
        for limit in np.quantile(values, 1 - _SHARES)
    ]
    return labels.filter(pl.Series(values > max(found)[1]))


def _f1(scored: Scored) -> float:
    precision, recall = scored.together.precision, scored.together.recall
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
