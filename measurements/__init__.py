"""Measurements: two things side by side in one run, with the command on top of each file."""

import os

from lethe.cluster.cores import share_cores

os.environ |= share_cores(os.environ)  # before torch is loaded, as for every process that Lethe starts
