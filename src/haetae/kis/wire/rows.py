"""The row tables of every KIS call this platform makes or serves.

Field names and order are those of the KIS workbook of 2026-06. Here: names and forms. Not here: which call
carries which row (`operations`), what a client concludes from them (`broker`, `feed`, `source`).

Conventions both sides follow where KIS leaves room:

* minute rows: ``stck_cntg_hour`` is the start of the minute (``HHMM00``); the closing auction is the one row
  ``153000`` (one hour later on late days) and covers ``[15:20, 15:30)``. Minutes without a trade have no row.
* daily rows of a halted day: ``stck_clpr`` carries the last close, open, high, low and volume are 0.
* order rows: the original row of a modified order keeps its executions and has ``rmn_qty`` 0; the new number
  has its own row with ``orgn_odno`` and the quantity that was left, executions counted from 0. A cancel request has
  its own row with ``orgn_odno`` and ``sll_buy_dvsn_cd_name`` ending in ``취소*``; the cancelled shares appear as
  ``cnc_cfrm_qty`` of the original row. An expired order keeps ``cnc_cfrm_qty`` 0 and ``rmn_qty`` 0.
* balance: ``dnca_tot_amt`` is settled cash, ``nxdy_excc_amt`` cash of D+1, ``prvs_rcdl_excc_amt`` cash of D+2,
  which is trade-date cash with fees and taxes already taken.
"""

from __future__ import annotations

from haetae.kis.wire.fields import row

ORDER_ACK = row("order_ack", "KRX_FWDG_ORD_ORGNO:text ODNO:number ORD_TMD:clock SOR_ODNO:text")

ORDER = row(
    "order",
    "ord_dt:day ord_gno_brno:text odno:number orgn_odno:number ord_dvsn_name:text sll_buy_dvsn_cd:text "
    "sll_buy_dvsn_cd_name:text pdno:text prdt_name:text ord_qty ord_unpr ord_tmd:clock tot_ccld_qty avg_prvs:text "
    "cncl_yn:flag tot_ccld_amt loan_dt:day ordr_empno:text ord_dvsn_cd:text cnc_cfrm_qty:loose rmn_qty rjct_qty:loose "
    "ccld_cndt_name:text inqr_ip_addr:text cpbc_ordp_ord_rcit_dvsn_cd:text cpbc_ordp_infm_mthd_dvsn_cd:text "
    "infm_tmd:text ctac_tlno:text prdt_type_cd:text excg_dvsn_cd:text cpbc_ordp_mtrl_dvsn_cd:text ord_orgno:text "
    "rsvn_ord_end_dt:day excg_id_dvsn_Cd:text stpm_cndt_pric:text stpm_efct_occr_dtmd:text",
)

ORDER_TOTAL = row("order_total", "tot_ord_qty tot_ccld_qty tot_ccld_amt prsm_tlex_smtl:loose pchs_avg_pric:text")

OPEN_ORDER = row(
    "open_order",
    "ord_gno_brno:text odno:number orgn_odno:number ord_dvsn_name:text pdno:text prdt_name:text "
    "rvse_cncl_dvsn_name:text ord_qty ord_unpr ord_tmd:clock tot_ccld_qty tot_ccld_amt psbl_qty sll_buy_dvsn_cd:text "
    "ord_dvsn_cd:text mgco_aptm_odno:text excg_dvsn_cd:text excg_id_dvsn_cd:text excg_id_dvsn_name:text "
    "stpm_cndt_pric:text stpm_efct_occr_yn:text",
)

HOLDING = row(
    "holding",
    "pdno:text prdt_name:text trad_dvsn_name:text bfdy_buy_qty bfdy_sll_qty thdt_buyqty thdt_sll_qty hldg_qty "
    "ord_psbl_qty pchs_avg_pric:text pchs_amt prpr evlu_amt evlu_pfls_amt evlu_pfls_rt:rate evlu_erng_rt:text "
    "loan_dt:day loan_amt stln_slng_chgs expd_dt:day fltt_rt:text bfdy_cprs_icdc item_mgna_rt_name:text "
    "grta_rt_name:text sbst_pric stck_loan_unpr:text",
)

ACCOUNT = row(
    "account",
    "dnca_tot_amt nxdy_excc_amt prvs_rcdl_excc_amt cma_evlu_amt bfdy_buy_amt thdt_buy_amt nxdy_auto_rdpt_amt "
    "bfdy_sll_amt thdt_sll_amt d2_auto_rdpt_amt bfdy_tlex_amt thdt_tlex_amt tot_loan_amt scts_evlu_amt tot_evlu_amt "
    "nass_amt fncg_gld_auto_rdpt_yn:text pchs_amt_smtl_amt evlu_amt_smtl_amt evlu_pfls_smtl_amt tot_stln_slng_chgs "
    "bfdy_tot_asst_evlu_amt asst_icdc_amt asst_icdc_erng_rt:text",
)

BUYING_POWER = row(
    "buying_power",
    "ord_psbl_cash ord_psbl_sbst ruse_psbl_amt fund_rpch_chgs psbl_qty_calc_unpr nrcvb_buy_amt nrcvb_buy_qty "
    "max_buy_amt max_buy_qty cma_evlu_amt ovrs_re_use_amt_wcrc ord_psbl_frcr_amt_wcrc",
)

PRICE = row(
    "price",
    "iscd_stat_cls_code:text marg_rate:rate rprs_mrkt_kor_name:text new_hgpr_lwpr_cls_code:text bstp_kor_isnm:text "
    "temp_stop_yn:flag oprc_rang_cont_yn:flag clpr_rang_cont_yn:flag crdt_able_yn:flag grmn_rate_cls_code:text "
    "elw_pblc_yn:flag stck_prpr prdy_vrss prdy_vrss_sign:text prdy_ctrt:rate acml_tr_pbmn acml_vol "
    "prdy_vrss_vol_rate:rate stck_oprc:loose stck_hgpr:loose stck_lwpr:loose stck_mxpr stck_llam stck_sdpr "
    "wghn_avrg_stck_prc:text hts_frgn_ehrt:rate frgn_ntby_qty pgtr_ntby_qty pvt_scnd_dmrs_prc pvt_frst_dmrs_prc "
    "pvt_pont_val pvt_frst_dmsp_prc pvt_scnd_dmsp_prc dmrs_val dmsp_val cpfn rstc_wdth_prc stck_fcam stck_sspr "
    "aspr_unit hts_deal_qty_unit_val lstn_stcn hts_avls per:rate pbr:rate stac_month:text vol_tnrt:rate eps:rate "
    "bps:rate d250_hgpr d250_hgpr_date:day d250_hgpr_vrss_prpr_rate:rate d250_lwpr d250_lwpr_date:day "
    "d250_lwpr_vrss_prpr_rate:rate stck_dryy_hgpr dryy_hgpr_vrss_prpr_rate:rate dryy_hgpr_date:day stck_dryy_lwpr "
    "dryy_lwpr_vrss_prpr_rate:rate dryy_lwpr_date:day w52_hgpr w52_hgpr_vrss_prpr_ctrt:rate w52_hgpr_date:day "
    "w52_lwpr w52_lwpr_vrss_prpr_ctrt:rate w52_lwpr_date:day whol_loan_rmnd_rate:rate ssts_yn:flag "
    "stck_shrn_iscd:text fcam_cnnm:text cpfn_cnnm:text apprch_rate:text frgn_hldn_qty vi_cls_code:text "
    "ovtm_vi_cls_code:text last_ssts_cntg_qty invt_caful_yn:flag mrkt_warn_cls_code:text short_over_yn:flag "
    "sltr_yn:flag mang_issu_cls_code:text",
)

_LEVELS = " ".join(f"{name}{level}" for name in ("askp", "bidp", "askp_rsqn", "bidp_rsqn") for level in range(1, 11))
_LEVEL_CHANGES = " ".join(f"{name}{level}" for name in ("askp_rsqn_icdc", "bidp_rsqn_icdc") for level in range(1, 11))

BOOK = row(
    "book",
    f"aspr_acpt_hour:clock {_LEVELS} {_LEVEL_CHANGES} total_askp_rsqn total_bidp_rsqn total_askp_rsqn_icdc "
    "total_bidp_rsqn_icdc ovtm_total_askp_icdc ovtm_total_bidp_icdc ovtm_total_askp_rsqn ovtm_total_bidp_rsqn "
    "ntby_aspr_rsqn new_mkop_cls_code:text",
)

EXPECTED = row(
    "expected",
    "antc_mkop_cls_code:text stck_prpr stck_oprc stck_hgpr stck_lwpr stck_sdpr antc_cnpr antc_cntg_vrss_sign:text "
    "antc_cntg_vrss antc_cntg_prdy_ctrt:rate antc_vol stck_shrn_iscd:text vi_cls_code:text",
)

SNAPSHOT = row(
    "snapshot",
    "kospi_kosdaq_cls_name:text mrkt_trtm_cls_name:text hour_cls_code:text inter_shrn_iscd:text inter_kor_isnm:text "
    "inter2_prpr inter2_prdy_vrss prdy_vrss_sign:text prdy_ctrt:rate acml_vol inter2_oprc:loose inter2_hgpr:loose "
    "inter2_lwpr:loose inter2_llam inter2_mxpr inter2_askp:loose inter2_bidp:loose seln_rsqn:loose shnu_rsqn:loose "
    "total_askp_rsqn total_bidp_rsqn acml_tr_pbmn inter2_prdy_clpr oprc_vrss_hgpr_rate:rate intr_antc_cntg_vrss "
    "intr_antc_cntg_vrss_sign:text intr_antc_cntg_prdy_ctrt:rate intr_antc_vol inter2_sdpr",
)

DAILY_HEAD = row(
    "daily_head",
    "prdy_vrss prdy_vrss_sign:text prdy_ctrt:rate stck_prdy_clpr acml_vol acml_tr_pbmn hts_kor_isnm:text stck_prpr "
    "stck_shrn_iscd:text prdy_vol stck_mxpr stck_llam stck_oprc stck_hgpr stck_lwpr stck_prdy_oprc stck_prdy_hgpr "
    "stck_prdy_lwpr askp bidp prdy_vrss_vol vol_tnrt:rate stck_fcam lstn_stcn cpfn hts_avls per:rate eps:rate pbr:rate "
    "itewhol_loan_rmnd_ratem:text",
)

DAILY_BAR = row(
    "daily_bar",
    "stck_bsop_date:day stck_clpr stck_oprc stck_hgpr stck_lwpr acml_vol acml_tr_pbmn:loose flng_cls_code:text "
    "prtt_rate:rate mod_yn:flag prdy_vrss_sign:text prdy_vrss revl_issu_reas:text",
)

MINUTE_HEAD = row(
    "minute_head",
    "prdy_vrss prdy_vrss_sign:text prdy_ctrt:rate stck_prdy_clpr acml_vol acml_tr_pbmn hts_kor_isnm:text stck_prpr",
)

MINUTE_BAR = row(
    "minute_bar",
    "stck_bsop_date:day stck_cntg_hour:clock stck_prpr stck_oprc stck_hgpr stck_lwpr cntg_vol acml_tr_pbmn:loose",
)

INDEX_HEAD = row(
    "index_head",
    "bstp_nmix_prdy_vrss:points prdy_vrss_sign:text bstp_nmix_prdy_ctrt:rate prdy_nmix:points acml_vol acml_tr_pbmn "
    "hts_kor_isnm:text bstp_nmix_prpr:points bstp_cls_code:text prdy_vol bstp_nmix_oprc:points bstp_nmix_hgpr:points "
    "bstp_nmix_lwpr:points futs_prdy_oprc:points futs_prdy_hgpr:points futs_prdy_lwpr:points",
)

INDEX_BAR = row(
    "index_bar",
    "stck_bsop_date:day bstp_nmix_prpr:points bstp_nmix_oprc:points bstp_nmix_hgpr:points bstp_nmix_lwpr:points "
    "acml_vol acml_tr_pbmn:loose mod_yn:flag",
)

CALENDAR_DAY = row(
    "calendar_day",
    "bass_dt:day wday_dvsn_cd:text bzdy_yn:flag tr_day_yn:flag opnd_yn:flag sttl_day_yn:flag",
)

STOCK_INFO = row(
    "stock_info",
    "pdno:text prdt_type_cd:text mket_id_cd:text scty_grp_id_cd:text excg_dvsn_cd:text setl_mmdd:text lstg_stqt "
    "lstg_cptl_amt cpta papr issu_pric kospi200_item_yn:flag scts_mket_lstg_dt:day scts_mket_lstg_abol_dt:day "
    "kosdaq_mket_lstg_dt:day kosdaq_mket_lstg_abol_dt:day frbd_mket_lstg_dt:day frbd_mket_lstg_abol_dt:day "
    "reits_kind_cd:text etf_dvsn_cd:text oilf_fund_yn:flag idx_bztp_lcls_cd:text idx_bztp_mcls_cd:text "
    "idx_bztp_scls_cd:text stck_kind_cd:text mfnd_opng_dt:day mfnd_end_dt:day dpsi_erlm_cncl_dt:day etf_cu_qty "
    "prdt_name:text prdt_name120:text prdt_abrv_name:text std_pdno:text prdt_eng_name:text prdt_eng_name120:text "
    "prdt_eng_abrv_name:text dpsi_aptm_erlm_yn:flag etf_txtn_type_cd:text etf_type_cd:text lstg_abol_dt:day "
    "nwst_odst_dvsn_cd:text sbst_pric thco_sbst_pric thco_sbst_pric_chng_dt:day tr_stop_yn:flag admn_item_yn:flag "
    "thdt_clpr bfdy_clpr clpr_chng_dt:day std_idst_clsf_cd:text std_idst_clsf_cd_name:text idx_bztp_lcls_cd_name:text "
    "idx_bztp_mcls_cd_name:text idx_bztp_scls_cd_name:text ocr_no:text crfd_item_yn:flag elec_scty_yn:flag "
    "issu_istt_cd:text etf_chas_erng_rt_dbnb:text etf_etn_ivst_heed_item_yn:flag stln_int_rt_dvsn_cd:text "
    "frnr_psnl_lmt_rt:text lstg_rqsr_issu_istt_cd:text lstg_rqsr_item_cd:text trst_istt_issu_istt_cd:text "
    "cptt_trad_tr_psbl_yn:flag nxt_tr_stop_yn:flag",
)
