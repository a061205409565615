/** The style of a published page: everything it needs, so that a stored version looks the same for ever. */
export const PUBLISHED_STYLE = `
:root{color-scheme:light dark;--ground:#fff;--sunken:#f3f3ef;--ink:#1a1c1e;--ink-soft:#54595f;--line:#dbdbd6;--line-strong:#8c9095;--positive:#1f6fb2;--negative:#b9540b}
@media(prefers-color-scheme:dark){:root{--ground:#151618;--sunken:#1f2124;--ink:#e8e9ea;--ink-soft:#a6abb1;--line:#303338;--line-strong:#6d737b;--positive:#6db2ee;--negative:#f0a15c}}
*{box-sizing:border-box}
html{background:var(--ground);color:var(--ink);font:16px/1.55 ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",sans-serif;font-variant-numeric:tabular-nums;-webkit-text-size-adjust:100%}
body{max-width:46rem;margin:0 auto;padding:2.5rem 1.25rem 4rem}
h1{font-size:1.75rem;line-height:1.25;margin:0 0 .5rem;letter-spacing:-.01em;overflow-wrap:anywhere}
h2{font-size:1.125rem;margin:2.5rem 0 .5rem}
h3{font-size:1rem;margin:0;overflow-wrap:anywhere}
p,ul,ol{margin:.5rem 0}
a{color:inherit}
.soft{color:var(--ink-soft)}
.small{font-size:.8125rem;line-height:1.45}
.question{font-size:1.0625rem}
code,.mono{font-family:ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono","Liberation Mono",monospace;font-size:.875em;overflow-wrap:anywhere}
code{background:var(--sunken);border-radius:2px;padding:0 .25em}
.tokens{display:flex;flex-wrap:wrap;gap:.25rem 1px;list-style:none;padding:0;margin:.75rem 0}
.tokens li{background:var(--sunken);border-radius:2px;padding:0 .3rem;font-family:ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.875rem}
.tokens li[aria-current]{outline:2px solid var(--ink);outline-offset:-1px;font-weight:600}
.metric{font-size:1.0625rem}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.8125rem}
caption{text-align:left;color:var(--ink-soft);padding-bottom:.5rem}
th,td{text-align:left;vertical-align:baseline;padding:.2rem .75rem .2rem 0;border-bottom:1px solid var(--line);font-weight:400}
thead th{color:var(--ink-soft);font-size:.75rem}
.number{text-align:right;white-space:nowrap;font-family:ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace}
thead .number{font-family:inherit}
tfoot td,tfoot th{font-weight:600}
.bar{display:block;position:relative;width:7rem;height:.625rem;background:linear-gradient(var(--line),var(--line)) center/1px 100% no-repeat}
.bar i{position:absolute;top:0;bottom:0;width:calc(var(--part)*50%);min-width:1px}
.sides-of-zero{display:flex;justify-content:space-around;width:7rem}
.bar .up{left:50%;background:var(--positive)}
.bar .down{right:50%;background:var(--negative)}
.badge{border:1px solid var(--line-strong);border-radius:3px;padding:0 .3rem;font-size:.6875rem;white-space:nowrap}
.badge.causal{background:var(--ink);border-color:var(--ink);color:var(--ground)}
.badge.approximation{border-style:dashed}
.badge.weights{border-style:dotted}
.label{border:1px solid var(--line-strong);border-radius:1rem;padding:0 .45rem;font-size:.75rem;white-space:nowrap}
figure{margin:1rem 0}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(20rem,100%),1fr));gap:0 1.5rem;align-items:start}
table.narrow{max-width:32rem}
details{margin:.5rem 0}
summary{cursor:pointer}
:focus-visible{outline:2px solid var(--ink);outline-offset:2px}
math{font-size:1.05em}
math[display=block]{margin:.5rem 0;overflow-x:auto}
figcaption{color:var(--ink-soft);font-size:.8125rem}
.claim{border:1px solid var(--line);border-radius:3px;padding:.75rem 1rem;margin:.75rem 0}
.sides{display:grid;grid-template-columns:repeat(auto-fit,minmax(13rem,1fr));gap:.75rem;margin:.5rem 0}
.sides ul,.plain{list-style:none;padding:0;margin:.125rem 0}
.verdict{font-weight:600}
.evidence{border-top:1px solid var(--line);padding:.4rem 0}
blockquote{margin:.5rem 0;padding:0 0 0 .75rem;border-left:2px solid var(--line)}
blockquote p{white-space:pre-wrap;overflow-wrap:anywhere;margin:.125rem 0}
dl{display:grid;grid-template-columns:9rem 1fr;gap:.25rem .75rem;font-size:.8125rem;margin:.5rem 0}
dt{color:var(--ink-soft)}
dd{margin:0;overflow-wrap:anywhere}
.methods{background:var(--sunken);border-radius:3px;margin-top:2.5rem;padding:.75rem 1rem}
.methods h2{margin-top:0}
.stop{white-space:nowrap}
footer{margin-top:3rem;border-top:1px solid var(--line);padding-top:.75rem}
@media(max-width:30rem){[data-table=paths] tr>:nth-child(2){display:none}th,td{padding-right:.5rem}dl{grid-template-columns:1fr}dt{margin-top:.25rem}}
@media print{:root{color-scheme:light;--ground:#fff;--sunken:#fff;--ink:#000;--ink-soft:#333;--line:#bbb;--line-strong:#777;--positive:#1f6fb2;--negative:#b9540b}body{max-width:none;padding:0}.claim,figure,tr{break-inside:avoid}h2{break-after:avoid}.scroll{overflow:visible}details>summary{list-style:none}}
`;
