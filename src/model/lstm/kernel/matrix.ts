// Products of a weight matrix with a panel of `batch` columns (batch a multiple of 8, one row of a panel is contiguous).
// Sums run in a fixed order, so that the same input gives the same bits on every machine.

/**
 * out[r][b] = start(r) + sum over k of a[r * rowStride + k * innerStride] * x[k][b]; strides in bytes.
 * start is bias[r] where bias != 0, otherwise what `out` holds (accumulate) or zero.
 */
export function multiply(
  out: usize, a: usize, rowStride: usize, innerStride: usize, rows: i32, inner: i32, x: usize, batch: i32, bias: usize, accumulate: bool,
): void {
  const line = <usize>batch << 2;
  let r = 0;
  for (; r + 4 <= rows; r += 4) {
    const a0 = a + <usize>r * rowStride;
    for (let b: usize = 0; b < line; b += 32) {
      const o = out + <usize>r * line + b;
      let s00 = start(o, bias, r, accumulate), s01 = start(o + 16, bias, r, accumulate);
      let s10 = start(o + line, bias, r + 1, accumulate), s11 = start(o + line + 16, bias, r + 1, accumulate);
      let s20 = start(o + 2 * line, bias, r + 2, accumulate), s21 = start(o + 2 * line + 16, bias, r + 2, accumulate);
      let s30 = start(o + 3 * line, bias, r + 3, accumulate), s31 = start(o + 3 * line + 16, bias, r + 3, accumulate);
      let p = a0;
      let q = x + b;
      for (let k = 0; k < inner; k++) {
        const x0 = v128.load(q), x1 = v128.load(q, 16);
        let w = v128.load32_splat(p);
        s00 = f32x4.add(s00, f32x4.mul(w, x0));
        s01 = f32x4.add(s01, f32x4.mul(w, x1));
        w = v128.load32_splat(p + rowStride);
        s10 = f32x4.add(s10, f32x4.mul(w, x0));
        s11 = f32x4.add(s11, f32x4.mul(w, x1));
        w = v128.load32_splat(p + 2 * rowStride);
        s20 = f32x4.add(s20, f32x4.mul(w, x0));
        s21 = f32x4.add(s21, f32x4.mul(w, x1));
        w = v128.load32_splat(p + 3 * rowStride);
        s30 = f32x4.add(s30, f32x4.mul(w, x0));
        s31 = f32x4.add(s31, f32x4.mul(w, x1));
        p += innerStride;
        q += line;
      }
      v128.store(o, s00); v128.store(o, s01, 16);
      v128.store(o + line, s10); v128.store(o + line, s11, 16);
      v128.store(o + 2 * line, s20); v128.store(o + 2 * line, s21, 16);
      v128.store(o + 3 * line, s30); v128.store(o + 3 * line, s31, 16);
    }
  }
  for (; r < rows; r++) {
    for (let b: usize = 0; b < line; b += 16) {
      const o = out + <usize>r * line + b;
      let s = start(o, bias, r, accumulate);
      let p = a + <usize>r * rowStride;
      let q = x + b;
      for (let k = 0; k < inner; k++) {
        s = f32x4.add(s, f32x4.mul(v128.load32_splat(p), v128.load(q)));
        p += innerStride;
        q += line;
      }
      v128.store(o, s);
    }
  }
}

// @ts-ignore: decorator
@inline
function start(o: usize, bias: usize, r: i32, accumulate: bool): v128 {
  if (bias) return v128.load32_splat(bias + (<usize>r << 2));
  return accumulate ? v128.load(o) : f32x4.splat(0);
}

/**
 * Gradient of a weight matrix over a sequence: out[r][k] += sum over t, b of g[t][r][b] * x[t][k][b].
 * gStep and xStep are the bytes from one t to the next, outStride those from one row of `out` to the next.
 */
export function accumulateOuter(
  out: usize, outStride: usize, g: usize, gStep: usize, rows: i32, x: usize, xStep: usize, inner: i32, steps: i32, batch: i32,
): void {
  const line = <usize>batch << 2;
  const rowsBlocked = rows & ~3;
  const innerBlocked = inner & ~1;
  for (let r = 0; r < rowsBlocked; r += 4) {
    for (let k = 0; k < innerBlocked; k += 2) {
      outerBlock(out + <usize>r * outStride + (<usize>k << 2), outStride, g + <usize>r * line, gStep, x + <usize>k * line, xStep, steps, line);
    }
    if (innerBlocked < inner) {
      for (let i = 0; i < 4; i++) {
        outerCell(out + <usize>(r + i) * outStride + (<usize>innerBlocked << 2), g + <usize>(r + i) * line, gStep, x + <usize>innerBlocked * line, xStep, steps, line);
      }
    }
  }
  for (let r = rowsBlocked; r < rows; r++) {
    for (let k = 0; k < inner; k++) {
      outerCell(out + <usize>r * outStride + (<usize>k << 2), g + <usize>r * line, gStep, x + <usize>k * line, xStep, steps, line);
    }
  }
}

function outerBlock(o: usize, outStride: usize, g: usize, gStep: usize, x: usize, xStep: usize, steps: i32, line: usize): void {
  const zero = f32x4.splat(0);
  let s00 = zero, s01 = zero, s10 = zero, s11 = zero, s20 = zero, s21 = zero, s30 = zero, s31 = zero;
  for (let t = 0; t < steps; t++) {
    for (let b: usize = 0; b < line; b += 16) {
      const x0 = v128.load(x + b), x1 = v128.load(x + line + b);
      let v = v128.load(g + b);
      s00 = f32x4.add(s00, f32x4.mul(v, x0));
      s01 = f32x4.add(s01, f32x4.mul(v, x1));
      v = v128.load(g + line + b);
      s10 = f32x4.add(s10, f32x4.mul(v, x0));
      s11 = f32x4.add(s11, f32x4.mul(v, x1));
      v = v128.load(g + 2 * line + b);
      s20 = f32x4.add(s20, f32x4.mul(v, x0));
      s21 = f32x4.add(s21, f32x4.mul(v, x1));
      v = v128.load(g + 3 * line + b);
      s30 = f32x4.add(s30, f32x4.mul(v, x0));
      s31 = f32x4.add(s31, f32x4.mul(v, x1));
    }
    g += gStep;
    x += xStep;
  }
  add(o, s00); add(o + 4, s01);
  o += outStride;
  add(o, s10); add(o + 4, s11);
  o += outStride;
  add(o, s20); add(o + 4, s21);
  o += outStride;
  add(o, s30); add(o + 4, s31);
}

function outerCell(o: usize, g: usize, gStep: usize, x: usize, xStep: usize, steps: i32, line: usize): void {
  let s = f32x4.splat(0);
  for (let t = 0; t < steps; t++) {
    for (let b: usize = 0; b < line; b += 16) s = f32x4.add(s, f32x4.mul(v128.load(g + b), v128.load(x + b)));
    g += gStep;
    x += xStep;
  }
  add(o, s);
}

// @ts-ignore: decorator
@inline
function add(o: usize, lanes: v128): void {
  store<f32>(o, load<f32>(o) + sum(lanes));
}

// @ts-ignore: decorator
@inline
function sum(lanes: v128): f32 {
  return (f32x4.extract_lane(lanes, 0) + f32x4.extract_lane(lanes, 1)) + (f32x4.extract_lane(lanes, 2) + f32x4.extract_lane(lanes, 3));
}

/** Gradient of a bias over a sequence: out[r] += sum over t, b of g[t][r][b]. */
export function accumulateBias(out: usize, g: usize, gStep: usize, rows: i32, steps: i32, batch: i32): void {
  const line = <usize>batch << 2;
  for (let r = 0; r < rows; r++) {
    let s = f32x4.splat(0);
    for (let t = 0; t < steps; t++) {
      const p = g + <usize>t * gStep + <usize>r * line;
      for (let b: usize = 0; b < line; b += 16) s = f32x4.add(s, v128.load(p + b));
    }
    add(out + (<usize>r << 2), s);
  }
}
