/** Of the report; it uses no file and no font beside what every browser has. */
export const STYLE = `
  :root { color-scheme: light; font: 15px/1.45 system-ui, sans-serif; color: #1d2430; background: #fbfbfc; }
  body { max-width: 1200px; margin: 1.6rem auto; padding: 0 1rem; }
  h1 { font-size: 1.5rem; margin: 0 0 .4rem; }
  h2 { font-size: 1.1rem; margin: 1.6rem 0 .3rem; }
  h3 { font-size: 1rem; margin: 0 0 .3rem; }
  .lead { font-size: 1.05rem; margin: .2rem 0 0; }
  .verdict { display: inline-block; padding: .1rem .9rem; margin-right: .6rem; border-radius: 999px; font-weight: 650; color: #fff; }
  .valid { background: #2d8a4e; } .INVALID { background: #cc3340; } .VOID { background: #8a6d1b; }
  .plot { background: #fff; border: 1px solid #e2e5ea; border-radius: 8px; padding: .3rem; }
  .anomaly { background: #fff; border: 1px solid #f0c5c9; border-left: 4px solid #cc3340; border-radius: 6px; padding: .7rem 1rem; margin: .7rem 0; }
  .anomaly table { font-size: .88rem; } .named td { background: #fdeaec; font-weight: 600; }
  .tick { font: 11px system-ui, sans-serif; fill: #566070; } .label { font: 600 10.5px system-ui, sans-serif; fill: #1d2430; }
  .key { margin: 0 0 .4rem; color: #455; font-size: .9rem; } .none { color: #677; }
  .key span { margin-right: 1.1rem; white-space: nowrap; }
  .key i { display: inline-block; width: .75rem; height: .75rem; border-radius: 3px; margin-right: .35rem; vertical-align: -1px; }
  table { border-collapse: collapse; } th, td { text-align: left; padding: .16rem .9rem .16rem .2rem; vertical-align: top; }
  th { font-weight: 550; color: #566; white-space: nowrap; } td { font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
  .columns { display: flex; flex-wrap: wrap; gap: 0 3rem; } .columns > div { max-width: 34rem; }
  li { margin: .15rem 0; } code, pre { font-size: .9em; } pre { white-space: pre-wrap; margin: 0; } summary { cursor: pointer; color: #455; }
`;
