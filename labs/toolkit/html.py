"""A notebook as an HTML page whose pictures keep their alt text.

nbconvert's own template for JupyterLab leaves it out, and then writes "No description has been provided" for
every plot. So this one draws a picture itself, and is nbconvert's in everything else.
"""

from __future__ import annotations

from typing import Any

TEMPLATE = """\
{%- extends 'lab/index.html.j2' -%}
{% block data_png scoped %}
<div class="jp-RenderedImage jp-OutputArea-output {{ extra_class }}">
<img src="data:image/png;base64,{{ output.data['image/png'] | escape_html }}"
{%- set width = output | get_metadata('width', 'image/png') -%}
{%- if width is not none %} width="{{ width | escape_html }}"{% endif %}
alt="{{ (output | get_metadata('alt', 'image/png') or 'Picture') | escape_html }}">
</div>
{%- endblock data_png %}
"""


def exporter(**settings: Any) -> Any:
    """nbconvert's HTMLExporter with this template; ``settings`` are its own (``embed_images=True``)."""
    from jinja2 import DictLoader
    from nbconvert import HTMLExporter

    loader = DictLoader({"lesson.html.j2": TEMPLATE})
    make: Any = HTMLExporter
    return make(extra_loaders=[loader], template_file="lesson.html.j2", **settings)
