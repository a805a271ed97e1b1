import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createProgress } from './progress.ts';

function capture(isTTY: boolean) {
  const output = Object.assign(new PassThrough(), { isTTY });
  return { output, text: () => (output.read() as Buffer | null)?.toString() ?? '' };
}

describe('progress', () => {
  it('rewrites one line on a terminal', () => {
    const { output, text } = capture(true);
    const progress = createProgress(output, 'train');
    progress.update(0.5, 'epoch 5');
    progress.done('10 epochs');
    const written = text();
    expect(written.match(/\n/g)).toHaveLength(1);
    expect(written).toContain('50 % epoch 5');
  });

  it('writes few lines elsewhere', () => {
    const { output, text } = capture(false);
    const progress = createProgress(output, 'train');
    for (let i = 1; i <= 100; i++) progress.update(i / 100, `step ${i}`);
    progress.done('finished');
    const lines = text().trimEnd().split('\n');
    expect(lines).toHaveLength(5);
    expect(lines.join('\n')).not.toContain('\u001b');
  });
});
