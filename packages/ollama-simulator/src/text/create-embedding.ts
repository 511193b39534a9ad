import { createSeededRandom, hashText } from "./seeded-random.ts";

/** A unit vector that depends on nothing but text and model. `dimensions` cuts it and restores its length. */
export function createEmbedding(text: string, model: string, length: number, dimensions = 0): number[] {
  const random = createSeededRandom(hashText(`${model}\n${text}`));
  const vector = Array.from({ length }, () => random.next() * 2 - 1);
  return normalize(dimensions > 0 && dimensions < length ? vector.slice(0, dimensions) : vector);
}

function normalize(vector: number[]): number[] {
  const norm = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  return vector.map((value) => Math.fround(value / Math.max(norm, 1e-12)));
}
