// Put into every measured page before its own scripts: what the page shows when, and how long taps take.
(() => {
  const seen = (window.benchProbe = { answerable: 0, shift: 0, longest: 0, blocked: 0, taps: new Map() });
  seen.ready = new Promise((resolve) => (seen.resolve = resolve));
  const observe = (type, take, more = {}) =>
    new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true, ...more });
  observe('layout-shift', (entry) => (seen.shift += entry.hadRecentInput ? 0 : entry.value));
  observe('longtask', (entry) => {
    seen.longest = Math.max(seen.longest, entry.duration);
    seen.blocked += entry.duration - 50;
  });
  const tap = ({ interactionId, duration }) =>
    interactionId && seen.taps.set(interactionId, Math.max(duration, seen.taps.get(interactionId) ?? 0));
  observe('event', tap, { durationThreshold: 16 });

  const isDrawn = (element) => {
    const { width, height } = element.getBoundingClientRect();
    return width > 4 && height > 4 && element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  };
  const choices = () =>
    [...document.querySelectorAll('input[type=radio], a.language-card')].filter(
      (element) => !element.disabled && isDrawn(element.closest('label') ?? element),
    );
  // The tablet greets first: its button is pressed in the very frame that draws it, and the wait goes on.
  const look = () => {
    const begin = document.querySelector('#begin');
    if (begin && isDrawn(begin)) begin.click();
    if (choices().length === 0) return requestAnimationFrame(look);
    seen.answerable = performance.now();
    seen.resolve();
  };
  requestAnimationFrame(look);

  /** Where to touch the option number `option` of the visible question number `question`; null where it is no choice. */
  window.benchOption = (question, option) => {
    const radios = choices().filter((element) => element.type === 'radio');
    const names = [...new Set(radios.map((radio) => radio.name))];
    const own = radios.filter((one) => one.name === names[question]);
    const radio = own[Math.min(option, own.length - 1)];
    if (!radio) return null;
    return { point: benchCentre(radio.closest('label')), questions: names.length, name: radio.name };
  };
  window.benchCentre = (element) => {
    element.scrollIntoView({ block: 'center', behavior: 'instant' });
    const { x, y, width, height } = element.getBoundingClientRect();
    return [x + Math.min(width / 2, 40), y + height / 2];
  };
})();
