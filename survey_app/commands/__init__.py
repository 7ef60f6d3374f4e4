"""The commands of `survey-app`, one module per purpose; `survey_app.cli` gathers them."""
