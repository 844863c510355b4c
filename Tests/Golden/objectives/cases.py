"""The cases: a name, the rows it runs on, and the settings that differ from the defaults, spelled as in the configuration file.

Matryoshka widths are numbers into the three widths of the vectors at hand, the last being the whole.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    name: str
    rows: str
    settings: dict

    def at(self, widths: list[int]) -> dict:
        """The settings with indices of widths replaced by the widths."""
        chosen = self.settings.get("loss.matryoshka_dims")
        return self.settings | ({"loss.matryoshka_dims": [widths[i] for i in chosen]} if chosen else {})


def case(name: str, rows: str, loss: str, **settings) -> Case:
    return Case(name, rows, {"loss.name": loss} | {f"loss.{key}": value for key, value in settings.items()})


NESTED = {"matryoshka_dims": [0, 1, 2], "matryoshka_weights": [1, 0.5, 2]}
WEIGHTED = {"dense_weight": 1, "late_weight": 0.7, "kl_weight": 0.3}
MILD = {"temperature": 0.05}
MARGINS = {"distill_objective": "margin_mse"}

EMBEDDING_CASES = [
    case("infonce", "pairs", "infonce"),
    case("infonce-negatives", "negatives", "infonce", **MILD),
    case("infonce-duplicates", "duplicates", "infonce", **MILD),
    case("infonce-unmasked", "duplicates", "infonce", **MILD, mask_duplicates=False),
    case("infonce-sum", "negatives", "infonce", **MILD, reduction="sum"),
    case("infonce-matryoshka", "negatives", "infonce", **MILD, **NESTED),
    case("infonce-matryoshka-equal-weights", "duplicates", "infonce", matryoshka_dims=[0, 1, 2]),
    case("infonce-matryoshka-prefixes-only", "negatives", "infonce", **MILD, matryoshka_dims=[0, 1], matryoshka_weights=[0.25, 1]),
    case("infonce-euclidean", "negatives", "infonce", **MILD, distance="euclidean"),
    case("infonce-euclidean-unmasked", "duplicates", "infonce", **MILD, distance="euclidean", mask_duplicates=False),
    case("infonce-euclidean-matryoshka", "duplicates", "infonce", **MILD, distance="euclidean", **NESTED),
    case("infonce-symmetric", "pairs", "infonce", symmetric=True),
    case("infonce-symmetric-duplicates", "duplicates", "infonce", **MILD, symmetric=True),
    case("infonce-symmetric-sum", "negatives", "infonce", **MILD, symmetric=True, reduction="sum"),
    case("infonce-symmetric-matryoshka", "duplicates", "infonce", **MILD, symmetric=True, **NESTED),
    case("infonce-symmetric-euclidean", "negatives", "infonce", **MILD, symmetric=True, distance="euclidean"),
    case("infonce-margin", "negatives", "infonce", **MILD, negative_margin=0.05),
    case("infonce-margin-below-zero", "duplicates", "infonce", **MILD, negative_margin=-0.05),
    case("infonce-margin-symmetric", "duplicates", "infonce", **MILD, negative_margin=0.05, symmetric=True),
    case("infonce-margin-euclidean-matryoshka", "duplicates", "infonce", **MILD, negative_margin=0.05, distance="euclidean", **NESTED),
    case("late", "pairs", "late"),
    case("late-negatives", "negatives", "late", **MILD),
    case("late-duplicates", "duplicates", "late", **MILD),
    case("late-symmetric", "duplicates", "late", **MILD, symmetric=True),
    case("late-sum", "negatives", "late", **MILD, reduction="sum"),
    case("joint", "pairs", "joint"),
    case("joint-negatives", "negatives", "joint", **MILD, **WEIGHTED),
    case("joint-duplicates", "duplicates", "joint", **MILD, **WEIGHTED),
    case("joint-unmasked", "duplicates", "joint", **MILD, **WEIGHTED, mask_duplicates=False),
    case("joint-without-kl", "negatives", "joint", **MILD, kl_weight=0),
    case("joint-kl-only", "negatives", "joint", **MILD, dense_weight=0, late_weight=0),
    case("joint-late-to-dense", "negatives", "joint", **MILD, **WEIGHTED, kl_direction="late_to_dense"),
    case("joint-detached-late", "duplicates", "joint", **MILD, **WEIGHTED, kl_detach="late"),
    case("joint-detached-dense", "negatives", "joint", **MILD, **WEIGHTED, kl_detach="dense"),
    case("joint-late-to-dense-detached-late", "duplicates", "joint", **MILD, **WEIGHTED, kl_direction="late_to_dense", kl_detach="late"),
    case("joint-late-to-dense-detached-dense", "negatives", "joint", **MILD, **WEIGHTED, kl_direction="late_to_dense", kl_detach="dense"),
    case("joint-kl-positives", "duplicates", "joint", **MILD, **WEIGHTED, kl_negatives=False),
    case("joint-symmetric", "duplicates", "joint", **MILD, **WEIGHTED, symmetric=True),
    case("joint-euclidean", "negatives", "joint", **MILD, **WEIGHTED, distance="euclidean"),
    case("joint-sum", "negatives", "joint", **MILD, **WEIGHTED, reduction="sum"),
    case("joint-matryoshka", "negatives", "joint", **MILD, **WEIGHTED, **NESTED),
    case("joint-matryoshka-duplicates", "duplicates", "joint", **WEIGHTED, **NESTED),
    case("joint-symmetric-matryoshka", "duplicates", "joint", **MILD, **WEIGHTED, symmetric=True, **NESTED),
    case("joint-margin", "negatives", "joint", **MILD, **WEIGHTED, negative_margin=0.05),
    case(
        "joint-everything", "duplicates", "joint", **MILD, **WEIGHTED, **NESTED, symmetric=True, negative_margin=-0.05, kl_negatives=False,
        kl_direction="late_to_dense", kl_detach="late",
    ),
    case("cosent", "graded", "cosent"),
    case("cosent-temperature", "graded", "cosent", cosent_temperature=0.2),
    case("cosent-matryoshka", "graded", "cosent", **NESTED),
    case("cosent-equal-scores", "equal-scores", "cosent"),
    case("joint-graded", "graded", "joint", **WEIGHTED),
    case("joint-graded-matryoshka", "graded", "joint", **WEIGHTED, **NESTED),
    case("triplet", "negatives", "triplet"),
    case("triplet-duplicates", "duplicates", "triplet", margin=0.1),
    case("triplet-hinge", "negatives", "triplet", margin=0),
    case("triplet-matryoshka", "negatives", "triplet", **NESTED),
    case("triplet-euclidean", "negatives", "triplet", distance="euclidean", margin=0.3),
    case("triplet-euclidean-hinge", "negatives", "triplet", distance="euclidean", margin=0),
    case("triplet-euclidean-matryoshka", "negatives", "triplet", distance="euclidean", **NESTED),
    case("distill", "taught", "distill"),
    case("distill-temperatures", "taught", "distill", temperature=0.2, teacher_temperature=3),
    case("distill-sum", "taught", "distill", **MILD, reduction="sum"),
    case("distill-matryoshka", "taught", "distill", **MILD, **NESTED),
    case("distill-euclidean-matryoshka", "taught", "distill", temperature=0.2, distance="euclidean", **NESTED),
    case("distill-late", "taught", "distill", **MILD, distill_heads="late"),
    case("distill-both-matryoshka", "taught", "distill", **MILD, **NESTED, distill_heads="both"),
    case("distill-margins", "taught", "distill", **MARGINS),
    case("distill-margins-scaled", "taught", "distill", **MARGINS, teacher_temperature=20),
    case("distill-margins-sum", "taught", "distill", **MARGINS, reduction="sum"),
    case("distill-margins-matryoshka", "taught", "distill", **MARGINS, teacher_temperature=10, **NESTED),
    case("distill-margins-euclidean", "taught", "distill", **MARGINS, teacher_temperature=10, distance="euclidean"),
    case("distill-margins-late", "taught", "distill", **MARGINS, teacher_temperature=10, distill_heads="late"),
    case("distill-margins-both-matryoshka", "taught", "distill", **MARGINS, teacher_temperature=10, **NESTED, distill_heads="both"),
    case("infonce-distill", "partly-taught", "infonce", **MILD, distill_weight=0.5),
    case("infonce-distill-matryoshka", "partly-taught", "infonce", **MILD, **NESTED, distill_weight=2, teacher_temperature=2),
    case("infonce-distill-margins-symmetric", "taught", "infonce", **MILD, **MARGINS, symmetric=True, distill_weight=0.3),
    case("infonce-distill-margin-sum", "partly-taught", "infonce", **MILD, distill_weight=1, negative_margin=0.05, reduction="sum"),
    case("joint-distill-matryoshka", "partly-taught", "joint", **MILD, **WEIGHTED, **NESTED, distill_weight=0.5),
    case("joint-distill-margins", "taught", "joint", **MILD, **WEIGHTED, **MARGINS, distill_weight=0.2, teacher_temperature=5),
]

# Through the first model, and through the second.
MODEL_CASES = {
    "flat-bf16": [
        case("infonce", "negatives", "infonce", **MILD),
        case("infonce-symmetric-matryoshka", "duplicates", "infonce", **MILD, symmetric=True, **NESTED),
        case("infonce-euclidean-sum", "negatives", "infonce", **MILD, distance="euclidean", reduction="sum"),
        case("infonce-margin", "duplicates", "infonce", **MILD, negative_margin=0.05),
        case("late", "negatives", "late", **MILD),
        case("late-symmetric", "duplicates", "late", **MILD, symmetric=True),
        case("joint", "negatives", "joint"),
        case("joint-matryoshka", "duplicates", "joint", **MILD, **WEIGHTED, **NESTED),
        case("joint-late-to-dense-detached-late", "negatives", "joint", **MILD, **WEIGHTED, kl_direction="late_to_dense", kl_detach="late"),
        case("joint-kl-positives-detached-dense", "duplicates", "joint", **MILD, **WEIGHTED, kl_negatives=False, kl_detach="dense"),
        case("joint-margin-euclidean", "negatives", "joint", **MILD, **WEIGHTED, negative_margin=-0.05, distance="euclidean"),
        case("cosent", "graded", "cosent"),
        case("joint-graded-matryoshka", "graded", "joint", **WEIGHTED, **NESTED),
        case("triplet", "negatives", "triplet"),
        case("triplet-euclidean-matryoshka", "negatives", "triplet", distance="euclidean", margin=0.3, **NESTED),
        case("distill-matryoshka", "taught", "distill", **MILD, **NESTED),
        case("distill-margins-late", "taught", "distill", **MARGINS, teacher_temperature=10, distill_heads="late"),
        case("infonce-distill", "taught", "infonce", **MILD, distill_weight=0.5),
    ],
    "nested-f32": [
        case("joint-symmetric-matryoshka", "duplicates", "joint", **MILD, **WEIGHTED, symmetric=True, **NESTED),
        case("joint-graded", "graded", "joint", **WEIGHTED),
        case("distill-both-matryoshka", "taught", "distill", **MILD, **NESTED, distill_heads="both"),
    ],
}
