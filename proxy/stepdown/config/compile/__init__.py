"""From the checked file to a snapshot's specification: names, versions, chains, coverage. No file is read here."""
