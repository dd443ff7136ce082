// A credit note of part of an invoice: which lines, how much of each; the server's total while one chooses.
import { call } from "./kit/api.js";
import { all, one } from "./kit/dom.js";
import { money } from "./billing.js";

export default function chooser(root) {
  const form = root.closest("form");
  const whole = () => one("[name=scope]:checked, input[type=hidden][name=scope]", form)?.value === "whole";
  const boxes = () => all("[name=credited]", root);
  let asked = 0;

  const lines = () => boxes().filter((box) => box.checked).map((box) => ({
    ...JSON.parse(box.dataset.line),
    quantity: one(`[data-quantity="${box.value}"]`, root).value.replace(/\s/g, "").replace(",", ".").replace("−", "-"),
  }));

  async function show() {
    for (const box of boxes()) one(`[data-quantity="${box.value}"]`, root).closest(".of-line").hidden = !box.checked || whole();
    const out = one("[data-credit-total]", root);
    const turn = (asked += 1);
    if (whole() || !lines().length) { out.textContent = ""; return; }
    try {
      const { data } = await call("POST", "/api/v1/totals", { body: { lines: lines() } });
      if (turn === asked) out.textContent = `Avoir de ${money(data.total_incl_tax)} TTC`;
    } catch (refused) {
      if (!("status" in refused)) throw refused;
      if (turn === asked) out.textContent = "";
    }
  }

  root.addEventListener("input", show);
  root.addEventListener("change", show);
  form.addEventListener("fiche:saving", (event) => {
    const { reason } = event.detail.body;
    event.detail.body = { ...(reason ? { reason } : {}), ...(whole() ? {} : { lines: lines() }) };
  });
  show();
}
