// Seconds that a task was really looked at: time in another window or tab does not count.

export class Clock {
  constructor() {
    this.kept = 0;
    this.since = null;
  }

  start(seconds = 0) {
    this.kept = seconds;
    this.since = document.hidden ? null : performance.now();
  }

  get seconds() {
    return this.kept + (this.since === null ? 0 : (performance.now() - this.since) / 1000);
  }

  look() {
    const seconds = this.seconds;
    this.kept = seconds;
    this.since = document.hidden ? null : performance.now();
  }
}
