"""How answers come in: website, tablet, paper. One mode never imports another. Floor 5."""
