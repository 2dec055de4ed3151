"""Read PDFs back."""

from __future__ import annotations

import io
import re

from pypdf import PdfReader


def read(pdf: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(pdf))


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in read(pdf).pages)


def squeeze(text: str) -> str:
    """Leave out the spaces: where a line breaks is the page's business."""
    return re.sub(r"\s", "", text)
