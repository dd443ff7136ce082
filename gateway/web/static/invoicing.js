// What of a quote is invoiced: the form's choice becomes the API's words.
export default function chooser(root) {
  const form = root.closest("form");
  form.addEventListener("fiche:saving", (event) => {
    const { what, line_ids: lines, percent, amount } = event.detail.body;
    const part = { kind: what, ...(percent ? { percent } : {}), ...(amount ? { amount } : {}) };
    event.detail.body = what === "rest" ? {} : what === "lines" ? { line_ids: lines || [] } : part;
  });
}
