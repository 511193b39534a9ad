/** Text that grows by tiny pieces, drawn once a frame. */
export type GrowingText = {
  add(text: string): void;
  clear(): void;
  /** Draws what is left now: a tab in the background has no frames. */
  flush(): void;
  readonly length: number;
};

export function createGrowingText(place: HTMLElement): GrowingText {
  const node = document.createTextNode("");
  place.replaceChildren(node);
  let waiting = "";
  let frame = 0;
  const flush = (): void => {
    cancelAnimationFrame(frame);
    frame = 0;
    if (waiting === "") return;
    // Whoever has scrolled up to read is left there.
    const atEnd = place.scrollHeight - place.scrollTop - place.clientHeight < 40;
    node.appendData(waiting);
    waiting = "";
    if (atEnd) place.scrollTop = place.scrollHeight;
  };
  return {
    add(text) {
      waiting += text;
      if (text !== "") place.hidden = false;
      if (frame === 0) frame = requestAnimationFrame(flush);
    },
    clear() {
      waiting = "";
      node.data = "";
    },
    flush,
    get length() {
      return node.length + waiting.length;
    },
  };
}
