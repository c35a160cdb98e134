"""Metrics: functions of arrays that return numbers and know no model and no data set."""
