"""Whether words on a page can be read: contrast of text and ground by WCAG 2.2, 1.4.3 (4.5 to 1, large text 3 to 1)."""

from playwright.sync_api import Page

_LOOK = """
() => {
  const colour = (text) => {
    const numbers = (text.match(/-?[\\d.]+(?:e-?\\d+)?/g) ?? []).map(Number);
    if (text.startsWith('rgb')) return [...numbers.slice(0, 3).map((x) => x / 255), numbers[3] ?? 1];
    if (text.startsWith('color(srgb')) return [...numbers.slice(0, 3), numbers[3] ?? 1];
    return null;
  };
  const over = (top, ground) => [0, 1, 2].map((i) => top[i] * top[3] + ground[i] * (1 - top[3])).concat(1);
  const linear = (x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
  const luminance = (c) => 0.2126 * linear(c[0]) + 0.7152 * linear(c[1]) + 0.0722 * linear(c[2]);
  const parent = (node) => node.parentElement ?? node.getRootNode().host ?? null;
  // Icons are no words, though a font makes them out of some; tables that are drawn on a canvas have none that can be seen;
  // a slider's number belongs to its knob but hangs above it.
  const exempt = ['script', 'style', 'svg', '[disabled]', '[aria-disabled="true"]'].concat(
    ['stIconMaterial', 'stDataFrame', 'stSliderThumbValue'].map((name) => `[data-testid="${name}"]`),
  ).join();
  const found = [];
  const look = (element) => {
    const layers = [];
    let opacity = 1;
    for (let at = element; at; at = parent(at)) {
      const style = getComputedStyle(at);
      opacity *= Number(style.opacity);
      if (style.backgroundImage !== 'none') return;
      const layer = colour(style.backgroundColor);
      if (layer === null) return;
      if (layer[3] > 0) layers.push(layer);
      if (layer[3] === 1) break;
    }
    if (opacity < 0.99) return;
    const ground = layers.reverse().reduce((below, layer) => over(layer, below), [1, 1, 1, 1]);
    const style = getComputedStyle(element);
    const ink = colour(style.color);
    if (ink === null) return;
    const [one, other] = [luminance(over(ink, ground)), luminance(ground)];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) found.push(`${ratio.toFixed(2)}: ${element.textContent.trim().slice(0, 60)}`);
  };
  const walk = (root) => {
    const texts = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
    for (let node = texts.nextNode(); node; node = texts.nextNode()) {
      if (node.shadowRoot) walk(node.shadowRoot);
      const element = node.parentElement;
      if (node.nodeType !== Node.TEXT_NODE || !element || !/[\\p{L}\\p{N}]/u.test(node.data)) continue;
      if (element.closest(exempt)) continue;
      const box = element.getBoundingClientRect();
      if (box.width > 1 && box.height > 1 && element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) look(element);
    }
  };
  walk(document.body);
  return [...new Set(found)];
}
"""


def hard_to_read(window: Page) -> list[str]:
    """What is on the page with too little contrast, as ``ratio: words``; disabled and half transparent things are exempt."""
    return window.evaluate(_LOOK)
