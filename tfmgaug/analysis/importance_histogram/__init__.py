"""Distribution of the MMCA score over weights: measurement, report and figure."""
