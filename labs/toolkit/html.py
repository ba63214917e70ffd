"""A notebook as an HTML page whose pictures keep their alt text, and which needs no network.

nbconvert's own template for JupyterLab leaves alt text out, and then writes "No description has been
provided" for every plot; and it loads scripts that a lesson does not need. So this one draws a picture
itself, loads nothing, and is nbconvert's in everything else.
"""

from __future__ import annotations

from typing import Any

TEMPLATE = """\
{%- extends 'lab/index.html.j2' -%}
{%- block html_head_js -%}{%- endblock -%}
{%- block html_head_js_mathjax -%}{%- endblock -%}
{%- block html_head_js_mermaidjs -%}{%- endblock -%}
{%- block html_head_css -%}
<style>
main { max-width: 62rem; margin: 0 auto; padding: 0 1rem; }
.jp-OutputArea-output.jp-RenderedMarkdown { padding-left: 1rem; }
img { max-width: 100%; height: auto; }
.jp-RenderedMarkdown pre, .jp-RenderedMarkdown pre * {
  font-family: var(--jp-code-font-family); font-size: var(--jp-code-font-size);
}
.jp-RenderedMarkdown pre { line-height: var(--jp-code-line-height); overflow-x: auto; margin-bottom: 1em; }
nav { display: flex; justify-content: space-between; gap: 1rem; }
</style>
{%- endblock -%}
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
