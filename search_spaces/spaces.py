"""Where every method is searched, by its name and by the size of the models. A new method is one line here."""

from search_spaces import mean_teacher, npo_gdr, rmu_adaptive

SMALL, LARGE = "1m", "7b"  # for models of a million parameters, and of billions
SPACES = {
    "mean_teacher": {SMALL: mean_teacher.SPACE, LARGE: mean_teacher.SPACE_7B},
    "npo_gdr": {SMALL: npo_gdr.SPACE, LARGE: npo_gdr.SPACE_7B},
    "rmu_adaptive": {SMALL: rmu_adaptive.SPACE, LARGE: rmu_adaptive.SPACE_7B},
}
