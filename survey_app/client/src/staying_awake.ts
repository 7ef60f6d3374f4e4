// The screen stays lit and the browser's bars go away, where the browser allows it. Nothing depends on either.

/** From the first touch on, and again whenever the page comes back: a hidden page loses its wake lock. */
export class StayingAwake {
  private lock: WakeLockSentinel | null = null;
  private wanted = false;

  start(): void {
    document.addEventListener('pointerdown', () => {
      this.wanted = true;
      void this.take();
    }, { passive: true });
    document.addEventListener('visibilitychange', () => void this.take());
  }

  /** The agent takes the tablet out of service. */
  stop(): void {
    this.wanted = false;
    void this.lock?.release().catch(() => undefined);
    if (document.fullscreenElement) void document.exitFullscreen().catch(() => undefined);
  }

  private async take(): Promise<void> {
    if (!this.wanted || document.visibilityState !== 'visible' || (this.lock && !this.lock.released)) return;
    this.lock = (await navigator.wakeLock?.request('screen').catch(() => null)) ?? null;
  }
}

/** To be called on a tap. An installed application fills the screen already. */
export function fillTheScreen(): void {
  const fills = matchMedia('(display-mode: fullscreen), (display-mode: standalone)').matches;
  if (fills || document.fullscreenElement) return;
  try {
    void document.documentElement.requestFullscreen?.({ navigationUI: 'hide' })?.catch(() => undefined);
  } catch {
    // A browser without the right to it says so in its own way.
  }
}
