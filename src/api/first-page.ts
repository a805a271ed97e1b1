/** A plain page that reads the two lists every few seconds; the console proper replaces it. */
export function firstPage(): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>flowcast</title>
<style>
  :root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
  body { max-width: 72rem; margin: 2rem auto; padding: 0 1rem }
  h1 { margin-bottom: 0 } h2 { margin-top: 2rem }
  table { border-collapse: collapse; width: 100% }
  th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent) }
  td.number, th.number { text-align: right; font-variant-numeric: tabular-nums }
  .quiet { opacity: .7 }
  .class { font-weight: 600; color: light-dark(#b00020, #ff8a80) }
</style>
<h1>flowcast</h1>
<p class="quiet">Forecasts of each link and hosts that behave unlike benign ones, as they come. <a href="/metrics">metrics</a> · <a href="/readyz">readiness</a></p>
<h2>Links</h2>
<table><thead><tr><th>exporter<th>link<th>window end<th class="number">now<th class="number">forecast<th class="number">interval<th>for</thead><tbody id="links"></tbody></table>
<h2>Hosts</h2>
<table><thead><tr><th>host<th>exporter<th>window end<th>class<th class="number">probability<th>because</thead><tbody id="hosts"></tbody></table>
<script>
  const rate = (bits) => {
    const units = ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s', 'Tbit/s'];
    let unit = 0;
    while (bits >= 1000 && unit < units.length - 1) { bits /= 1000; unit++; }
    return bits.toFixed(bits < 10 ? 2 : bits < 100 ? 1 : 0) + ' ' + units[unit];
  };
  const time = (us) => new Date(us / 1000).toLocaleString();
  const row = (cells) => {
    const tr = document.createElement('tr');
    for (const [text, className] of cells) {
      const td = document.createElement('td');
      td.textContent = text;
      if (className) td.className = className;
      tr.append(td);
    }
    return tr;
  };
  const empty = (columns, text) => { const tr = row([[text, 'quiet']]); tr.firstChild.colSpan = columns; return tr; };
  const link = (f) => {
    const h = f.horizons[f.horizons.length - 1], q = h.quantiles;
    const median = q.reduce((best, x) => Math.abs(x.level - .5) < Math.abs(best.level - .5) ? x : best, q[0]);
    return row([[f.exporter], [f.interface + ' ' + f.direction.toLowerCase()], [time(f.windowEndUs)], [rate(f.observed), 'number'],
      [rate(median.value), 'number'], [rate(q[0].value) + ' – ' + rate(q[q.length - 1].value), 'number'], [time(h.windowEndUs)]]);
  };
  const host = (c) => row([[c.entity], [c.exporter], [time(c.windowEndUs)], [c.class, 'class'], [(100 * c.probability).toFixed(0) + ' %', 'number'], [c.path]]);
  async function refresh() {
    try {
      const [forecasts, hosts] = await Promise.all(['/v1/forecasts', '/v1/classifications'].map((url) => fetch(url).then((r) => r.json())));
      document.getElementById('links').replaceChildren(...(forecasts.length ? forecasts.slice(0, 100).map(link) : [empty(7, 'No forecast yet: a link needs some closed windows first.')]));
      document.getElementById('hosts').replaceChildren(...(hosts.length ? hosts.slice(0, 100).map(host) : [empty(6, 'No host stands out.')]));
    } catch { /* the server is away; the next round tries again */ }
    setTimeout(refresh, 3000);
  }
  refresh();
</script>
</html>
`;
}
