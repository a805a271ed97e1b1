/**
 * A uint32 from up to four integers, the same on every machine: the randomness of things that are looked up by index
 * (an hour's noise, a slot's episode) instead of being drawn in sequence, so that any moment can be computed alone.
 * Finaliser of MurmurHash3 (Austin Appleby) after each word.
 */
export function hash(seed: number, a: number, b = 0, c = 0): number {
  let h = mix(seed ^ 0x9e3779b9, a);
  h = mix(h, b);
  return mix(h, c) >>> 0;
}

/** Uniform in [0, 1) from the same words. */
export function hashUnit(seed: number, a: number, b = 0, c = 0): number {
  return hash(seed, a, b, c) / 4294967296;
}

/** Standard normal from the same words (Box-Muller on two hashes). */
export function hashNormal(seed: number, a: number, b = 0): number {
  const radius = Math.sqrt(-2 * Math.log(1 - hashUnit(seed, a, b, 1)));
  return radius * Math.cos(2 * Math.PI * hashUnit(seed, a, b, 2));
}

function mix(h: number, word: number): number {
  let z = (h + Math.imul(word ^ (word >>> 16), 0x9e3779b1)) | 0;
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return z ^ (z >>> 16);
}
