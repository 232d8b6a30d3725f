"use strict";
(() => {
  const search = document.getElementById("search");
  const none = document.getElementById("none");
  const contents = document.getElementById("contents");
  const articles = [...document.querySelectorAll("article")].map((article) => ({
    article,
    entry: document.querySelector(`nav a[href="#${article.id}"]`).parentElement,
    words: `${article.id} ${article.textContent}`.toLowerCase(),
  }));
  const groups = [...document.querySelectorAll(".group, nav section")];
  const show = () => {
    const wanted = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const { article, entry, words } of articles) {
      article.hidden = entry.hidden = !wanted.every((word) => words.includes(word));
    }
    for (const group of groups) {
      group.hidden = !group.querySelector("article:not([hidden]), li:not([hidden])");
    }
    none.hidden = articles.some(({ article }) => !article.hidden);
    if (wanted.length) contents.open = true;
  };
  search.hidden = false;
  search.addEventListener("input", show);
  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|TEXTAREA)$/.test(document.activeElement.tagName);
    if (event.key === "/" && !typing) {
      event.preventDefault();
      search.focus();
    } else if (event.key === "Escape" && document.activeElement === search) {
      search.value = "";
      show();
    }
  });
  if (matchMedia("(max-width: 60rem)").matches) contents.open = false;
})();
