#include "report/attention_page.h"

#include "base/error.h"
#include "base/json.h"
#include "report/html.h"

#include <algorithm>
#include <cmath>

namespace sightline {

namespace {

constexpr const char* kStyle = R"(
:root{color-scheme:light dark;--page:#fbfbfa;--ink:#1d1f21;--soft:#62676d;--line:#d5d8dc;
--chosen:#1d5fbf;--on-chosen:#fff;--hint:#e7eef8}
@media(prefers-color-scheme:dark){:root{--page:#15171a;--ink:#e6e7e9;--soft:#9aa1a9;--line:#3a3f46;
--chosen:#7db3ff;--on-chosen:#10151d;--hint:#232b37}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:760px;margin:0 auto;padding:20px 16px 40px}
h1{font-size:1.1rem;margin:0 0 4px;overflow-wrap:anywhere}
p{margin:8px 0;overflow-wrap:anywhere}
.soft{color:var(--soft);font-size:.9rem}
#words{display:flex;flex-wrap:wrap;gap:4px;margin:14px 0}
#words button{font:inherit;font-size:1.1rem;color:inherit;background:var(--hint);border:1px solid
transparent;border-radius:6px;padding:3px 9px;cursor:pointer;max-width:100%;overflow-wrap:anywhere}
#words button[aria-pressed=true]{background:var(--chosen);color:var(--on-chosen)}
button:focus-visible,select:focus-visible{outline:3px solid var(--chosen);outline-offset:2px}
.controls{display:flex;flex-wrap:wrap;gap:8px 18px;margin:0 0 12px}
select{font:inherit;color:inherit;background:var(--page);border:1px solid var(--line);
border-radius:6px;padding:3px 6px;max-width:100%}
#view{position:relative;overflow:hidden;border-radius:8px;background:#777;width:100%}
#view img,#view svg{position:absolute;display:block}
#view svg .grid{fill:none;stroke:#fff;stroke-opacity:.16;stroke-width:.012}
#view svg .most{fill:none;stroke:#ffb000;stroke-width:.06}
#told{min-height:3em}
)";

constexpr const char* kScript = R"(
const data=JSON.parse(document.getElementById('data').textContent);
const side=data.side,svg=document.getElementById('over'),told=document.getElementById('told');
const layer=document.getElementById('layer'),scale=document.getElementById('scale');
const buttons=[...document.querySelectorAll('#words button')];
const make=(name,attributes)=>{const e=document.createElementNS('http://www.w3.org/2000/svg',name);
for(const key in attributes)e.setAttribute(key,attributes[key]);svg.append(e);return e};
const cells=[];
for(let y=0;y<side;y++)for(let x=0;x<side;x++)cells.push(make('rect',{x,y,width:1,height:1}));
for(let y=0;y<side;y++)for(let x=0;x<side;x++)make('rect',{x,y,width:1,height:1,class:'grid'});
const most=make('rect',{width:1,height:1,class:'most'});
const unit=100000;
const weights=word=>{const layers=data.words[word];
if(layer.value!=='mean')return layers[+layer.value].map(w=>w/unit);
return layers[0].map((_,i)=>layers.reduce((sum,l)=>sum+l[i],0)/layers.length/unit)};
const percent=x=>(100*x).toFixed(x<.0995?1:0)+' %';
let chosen=0;
function show(word){chosen=word;
buttons.forEach((b,i)=>b.setAttribute('aria-pressed',i===word));
const w=weights(word),sum=w.reduce((a,b)=>a+b,0),greatest=Math.max(...w),at=w.indexOf(greatest);
const top=scale.value==='own'?greatest:Math.max(...data.words.flatMap((_,i)=>weights(i)));
cells.forEach((c,i)=>c.setAttribute('fill-opacity',(.82*(1-(top>0?w[i]/top:0))).toFixed(3)));
most.setAttribute('x',at%side);most.setAttribute('y',Math.floor(at/side));
told.textContent='\u201c'+buttons[word].textContent+'\u201d: '+percent(sum)+
' of its attention lies on the picture, the rest on words. The framed cell (line '+
(Math.floor(at/side)+1)+', column '+(at%side+1)+') has the most, '+percent(greatest)+'; were all '+
side*side+' alike, each would have '+percent(sum/side/side)+'.'}
buttons.forEach((b,i)=>{b.addEventListener('mouseenter',()=>show(i));
b.addEventListener('focus',()=>show(i));b.addEventListener('click',()=>show(i));
b.addEventListener('keydown',e=>{const to=e.key==='ArrowRight'?i+1:e.key==='ArrowLeft'?i-1:-1;
if(buttons[to]){buttons[to].focus();e.preventDefault()}})});
layer.addEventListener('change',()=>show(chosen));
scale.addEventListener('change',()=>show(chosen));
show(0);
)";

// "<" may not end the script that holds it.
std::string data_of(const AttentionPage& page) {
  Json words = Json::array();
  for (const AttendedWord& word : page.words) {
    Json layers = Json::array();
    for (const std::vector<float>& cells : word.cells) {
      Json rounded = Json::array();
      for (const float weight : cells) rounded.push_back(std::lround(weight * 1e5));
      layers.push_back(std::move(rounded));
    }
    words.push_back(std::move(layers));
  }
  return Json{{"side", page.cells_a_side}, {"words", words}}.dump();
}

// Where something lies in the view, which holds both the picture and the square that was seen.
struct View {
  double left, top, width, height;

  std::string place(double x, double y, double w, double h) const {
    return fmt::format("left:{:.4f}%;top:{:.4f}%;width:{:.4f}%;height:{:.4f}%",
                       100 * (x - left) / width, 100 * (y - top) / height, 100 * w / width,
                       100 * h / height);
  }
};

View view_of(const AttentionPage& page) {
  const double left = std::min(0.0, page.left), top = std::min(0.0, page.top);
  const double right = std::max<double>(page.width, page.left + page.square_width);
  const double bottom = std::max<double>(page.height, page.top + page.square_height);
  return {left, top, right - left, bottom - top};
}

std::string picture_html(const AttentionPage& page) {
  const View view = view_of(page);
  return fmt::format(
      "<div id=\"view\" style=\"aspect-ratio:{:.5f}\"><img alt=\"{}\" style=\"{}\" "
      "src=\"{}\"><svg id=\"over\" aria-hidden=\"true\" style=\"{}\" viewBox=\"0 0 "
      "{} "
      "{}\" preserveAspectRatio=\"none\"></svg></div>\n",
      view.width / view.height, escaped(page.picture), view.place(0, 0, page.width, page.height),
      data_uri(page.image_type, page.image),
      view.place(page.left, page.top, page.square_width, page.square_height), page.cells_a_side,
      page.cells_a_side);
}

std::string words_html(const AttentionPage& page) {
  std::string html = "<div id=\"words\" role=\"group\" aria-label=\"words of the caption\">";
  for (const AttendedWord& word : page.words) {
    html += "<button type=\"button\" aria-pressed=\"false\">" + escaped(word.text) + "</button>";
  }
  return html + "</div>\n";
}

std::string controls_html(size_t layers) {
  std::string html =
      "<div class=\"controls\"><label>Attention of <select id=\"layer\"><option value=\"mean\">the "
      "mean of all layers</option>";
  for (size_t i = 0; i < layers; ++i) {
    html += fmt::format("<option value=\"{}\">layer {} of {}</option>", i, i + 1, layers);
  }
  return html +
         "</select></label><label>Bright as <select id=\"scale\"><option value=\"own\">the word's "
         "own most</option><option value=\"all\">the most of all words</option></select></label>"
         "</div>\n";
}

std::string explanation_html(const AttentionPage& page) {
  const int64_t patches = page.patches_a_side / page.cells_a_side;
  const std::string covers = patches == 1
                                 ? std::string("one patch")
                                 : fmt::format("{0} x {0} patches, which share one row", patches);
  return fmt::format(
      "<p class=\"soft\">A word's attention is that of the row it was chosen from, the one before "
      "it (of a word of several tokens the mean), as the mean of {} heads. What is dark was looked "
      "at less. The vision model cuts the picture into {} x {} patches; a cell of the grid is what "
      "one row of the language model stands for: {}. A row is no keyhole: through the vision "
      "model's layers it has itself looked at the whole picture. {} Weights times values differ by "
      "{:.1e} from what the model computed.</p>\n",
      page.heads, page.patches_a_side, page.patches_a_side, covers, escaped(page.seen),
      page.difference);
}

}  // namespace

std::string attention_page_html(const AttentionPage& page) {
  SL_ASSERT(!page.words.empty() && page.cells_a_side > 0, "a page of no words");
  return "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
         "content=\"width=device-width,initial-scale=1\"><link rel=\"icon\" href=\"data:,\"><title>"
         "Where each word looked: " +
         escaped(page.picture) + "</title><style>" + kStyle +
         "</style></head><body><main>\n<h1>Where each word looked</h1>\n<p class=\"soft\">" +
         escaped(page.picture) + ". Point at a word, tap it, or move with the arrow keys.</p>\n" +
         words_html(page) + controls_html(page.words.front().cells.size()) + picture_html(page) +
         "<p id=\"told\" aria-live=\"polite\"></p>\n" + explanation_html(page) +
         "</main><script type=\"application/json\" id=\"data\">" + data_of(page) +
         "</script><script>" + kScript + "</script></body></html>\n";
}

}  // namespace sightline
