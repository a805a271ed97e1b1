import { describe, expect, it } from 'vitest';
import { findColumn, parseCsv, tableEncoder, tableFeatures } from './csv-table.ts';

const text = 'bytes,proto,label\n10,tcp,normal\n-,udp,attack\nInfinity,"t,x",normal\n';

describe('a table of text', () => {
  it('is read with its header, its quotes and whatever separates its fields', () => {
    const table = parseCsv(text, true);
    expect(table.columns).toEqual(['bytes', 'proto', 'label']);
    expect(table.rows[2]).toEqual(['Infinity', 't,x', 'normal']);
    expect(parseCsv('a|b\r\n1|"x""y"\r\n', true).rows).toEqual([['1', 'x"y']]);
    expect(parseCsv('1\t2\n', false)).toEqual({ columns: ['c0', 'c1'], rows: [['1', '2']] });
  });

  it('becomes numbers by the names of its features alone', () => {
    const table = parseCsv(text, true);
    const features = tableFeatures(table, [0, 1]);
    expect(features.map((f) => f.name)).toEqual(['bytes', 'proto=t,x', 'proto=tcp', 'proto=udp']);
    const other = parseCsv('label,proto,bytes\nx,udp,7\nx,icmp,\n', true);
    const encode = tableEncoder(other, features);
    const values = new Float32Array(8);
    other.rows.forEach((row, i) => {
      encode(row, values, i * 4);
    });
    expect(Array.from(values)).toEqual([7, 0, 0, 1, -1, 0, 0, 0]);
    tableEncoder(table, features)(table.rows[2]!, values, 0);
    expect(values[0]).toBe(Math.fround(3.4028234663852886e38));
  });

  it('is refused where a row or a column is wrong', () => {
    expect(() => parseCsv('', true)).toThrow('empty');
    expect(() => parseCsv('a,b\n1\n', true)).toThrow('line 2 has 1 fields, the first has 2');
    expect(() => findColumn(parseCsv(text, true), 'class')).toThrow('it has bytes, proto, label');
    expect(findColumn(parseCsv(text, true), 'LABEL')).toBe(2);
    expect(findColumn(parseCsv('1,2\n', false), '1')).toBe(1);
  });
});
