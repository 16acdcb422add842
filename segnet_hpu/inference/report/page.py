"""One HTML page of a network's results that needs nothing beside itself: no script, no other file, no network."""

from html import escape
from importlib.resources import files

from segnet_hpu.files import replace_file
from segnet_hpu.inference.report.examples import examples
from segnet_hpu.inference.report.tables import class_table, confusion_table, score_tiles, share_table

# What the page may load, for whoever opens it: its own styles and the pictures inside it.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def write_page(path, title, facts, appearance, sections, scores=None, matrix=None, predicted=None):
    """Write the page; atomic.

    title: text. facts: texts for the line below it. sections: [(heading, explanation, iterable of Judged)],
    empty ones are left out. scores: of all, see scores.named_scores; matrix: their ConfusionMatrix. Without
    them, predicted: pixels of each predicted class. Raises as files.replace_file does.
    """
    parts = [f"<header><h1>{escape(title)}</h1><p class='facts'>"
             + "".join(f"<span>{escape(str(fact))}</span>" for fact in facts) + "</p></header>"]
    if matrix is not None:
        parts += [score_tiles(scores), class_table(scores, appearance.colours), confusion_table(matrix, appearance)]
    elif predicted is not None:
        parts.append(share_table(predicted, appearance))
    parts += [examples(heading, text, pictures, appearance) for heading, text, pictures in sections]
    text = (f"<!doctype html>\n<html lang='en'>\n<head>\n<meta charset='utf-8'>\n"
            f"<meta http-equiv='Content-Security-Policy' content=\"{POLICY}\">\n"
            "<meta name='viewport' content='width=device-width, initial-scale=1'>\n"
            "<meta name='color-scheme' content='light dark'>\n<link rel='icon' href='data:,'>\n"
            f"<title>{escape(title)}</title>\n"
            f"<style>\n{files(__package__).joinpath('style.css').read_text('utf-8')}</style>\n</head>\n<body>\n<main>\n"
            + "\n".join(filter(None, parts)) + "\n</main>\n</body>\n</html>\n")
    # A file's name may hold bytes that are no text.
    replace_file(path, text.encode(errors="backslashreplace"), make_folder=True)
