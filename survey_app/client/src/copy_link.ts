// The page that shows a new link: a button that copies it, where the browser can.

/** Shows the button, which says that it is done, or else leaves the whole link selected. */
export function offerToCopy(): void {
  const link = document.querySelector<HTMLTextAreaElement>('#new-link');
  const button = document.querySelector<HTMLButtonElement>('#copy-link');
  if (!link || !button) return;
  button.hidden = false;
  button.addEventListener('click', () => void copy(link, button));
}

async function copy(link: HTMLTextAreaElement, button: HTMLButtonElement): Promise<void> {
  link.select();
  try {
    await navigator.clipboard.writeText(link.value);
    button.textContent = button.dataset['done'] ?? button.textContent;
  } catch {
    // Not allowed, or no secure page: it is selected, and can be copied by hand.
  }
}
