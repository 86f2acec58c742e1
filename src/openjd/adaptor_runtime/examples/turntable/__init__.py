"""The model adaptor: Mitsuba 3 renders a turntable, one task per frame.

``template.yaml`` is the job, ``adaptor.py`` runs in the daemon, ``client.py`` runs in the
renderer's own process and keeps the scene in memory from the first frame to the last.
``openjd-adaptor demo`` runs it all.
"""
